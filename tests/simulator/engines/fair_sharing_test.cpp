// Shares of links that can be worked out by hand; bandwidths in bytes per second.
#include <gmock/gmock.h>

#include <cmath>

#include "simulator/replay/fair_sharing.hpp"

namespace traincast {
namespace {

using testing::ElementsAre;
using FlowId = FairSharing::FlowId;

std::vector<Link> links_of(std::vector<double> bandwidths) {
  std::vector<Link> links;
  for (double bandwidth : bandwidths) links.push_back({"link", "network", bandwidth, 0});
  return links;
}

std::vector<std::pair<double, std::vector<FlowId>>> ends(FairSharing& sharing) {
  std::vector<std::pair<double, std::vector<FlowId>>> all;
  double now = 0;
  for (;;) {
    sharing.settle(now);
    now = sharing.next_end();
    if (std::isinf(now)) return all;
    all.emplace_back(now, std::vector<FlowId>{});
    sharing.take_ended(now, all.back().second);
  }
}

TEST(FairSharing, GivesALoneFlowItsNarrowestLink) {
  FairSharing sharing(links_of({10, 4, 8}));
  LinkId route[] = {0, 1, 2};
  FlowId flow = sharing.start(route, 8, 0);
  auto all = ends(sharing);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_DOUBLE_EQ(all[0].first, 2);
  EXPECT_THAT(all[0].second, ElementsAre(flow));
}

// Two flows at 5 each until the short one ends at 2; the other then has all 10 for its last 10 bytes.
TEST(FairSharing, GivesWhatOneLeavesToTheOther) {
  FairSharing sharing(links_of({10}));
  LinkId route[] = {0};
  FlowId long_one = sharing.start(route, 20, 0), short_one = sharing.start(route, 10, 0);
  auto all = ends(sharing);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_DOUBLE_EQ(all[0].first, 2);
  EXPECT_THAT(all[0].second, ElementsAre(short_one));
  EXPECT_DOUBLE_EQ(all[1].first, 3);
  EXPECT_THAT(all[1].second, ElementsAre(long_one));
}

// One flow crosses both links, and each link has one of its own. Link 0 (6) gives 3 to each; link 1 (10)
// leaves 7 to its own.
TEST(FairSharing, LetsOthersDivideWhatANarrowerLinkHoldsBack) {
  FairSharing sharing(links_of({6, 10}));
  LinkId both[] = {0, 1}, first[] = {0}, second[] = {1};
  FlowId through = sharing.start(both, 30, 0), narrow = sharing.start(first, 30, 0),
         wide = sharing.start(second, 35, 0);
  auto all = ends(sharing);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_DOUBLE_EQ(all[0].first, 5);
  EXPECT_THAT(all[0].second, ElementsAre(wide));
  EXPECT_DOUBLE_EQ(all[1].first, 10);
  EXPECT_THAT(all[1].second, ElementsAre(through, narrow));
}

TEST(FairSharing, NamesThoseThatEndTogetherInTheOrderInWhichTheyStarted) {
  FairSharing sharing(links_of({1, 1, 1}));
  std::vector<FlowId> started;
  for (LinkId link : {2U, 0U, 1U}) {
    LinkId route[] = {link};
    started.push_back(sharing.start(route, 1, 0));
  }
  auto all = ends(sharing);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].second, started);
}

}  // namespace
}  // namespace traincast
