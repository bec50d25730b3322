// What every topology of the catalog promises, whatever it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "platforms/cluster_catalog.hpp"
#include "tests/platforms/platform_helpers.hpp"

namespace traincast {
namespace {

class EveryTopology : public testing::TestWithParam<Example> {
 protected:
  std::unique_ptr<Topology> topology_ = make_topology(GetParam().json);
};

template <class Check>
void for_each_pair(const Cluster& cluster, Check check) {
  for (std::uint32_t from = 0; from < cluster.learners(); ++from)
    for (std::uint32_t to = 0; to < cluster.learners(); ++to)
      if (from != to) check(from, to);
}

constexpr std::uint32_t kLearners[] = {1, 2, 3, 7, 16, 64};

TEST_P(EveryTopology, HasARouteOfDifferentLinksForEveryPair) {
  for (std::uint32_t learners : kLearners) {
    ASSERT_EQ(topology_->refuses(learners), "");
    auto cluster = topology_->build(learners);
    EXPECT_EQ(cluster->learners(), learners);
    for_each_pair(*cluster, [&](std::uint32_t from, std::uint32_t to) {
      auto links = route(*cluster, from, to);
      ASSERT_FALSE(links.empty()) << from << " to " << to;
      ASSERT_LT(*std::max_element(links.begin(), links.end()), cluster->links().size());
      EXPECT_EQ(std::set(links.begin(), links.end()).size(), links.size()) << path(*cluster, from, to);
    });
  }
}

TEST_P(EveryTopology, IsAsFarThereAsBack) {
  for (std::uint32_t learners : kLearners) {
    auto cluster = topology_->build(learners);
    for_each_pair(*cluster, [&](std::uint32_t from, std::uint32_t to) {
      auto there = route(*cluster, from, to), back = route(*cluster, to, from);
      EXPECT_EQ(there.size(), back.size()) << path(*cluster, from, to);
      EXPECT_NEAR(cluster->latency(there), cluster->latency(back), 1e-15);
      for (LinkId link : there)
        EXPECT_EQ(std::count(back.begin(), back.end(), link), 0) << "both ways on " << link;
    });
  }
}

TEST_P(EveryTopology, NamesItsLinksDifferentlyAndGivesThemTierAndBandwidth) {
  for (std::uint32_t learners : {1U, 16U}) {
    auto cluster = topology_->build(learners);
    std::set<std::string> names;
    for (const Link& link : cluster->links()) {
      EXPECT_TRUE(names.insert(link.name).second) << link.name;
      EXPECT_FALSE(link.tier.empty()) << link.name;
      EXPECT_GT(link.bandwidth, 0) << link.name;
      EXPECT_GE(link.latency, 0) << link.name;
    }
  }
}

TEST_P(EveryTopology, IsBuiltTheSameEachTimeAndAnswersInPlaceOfWhatWasThere) {
  auto one = topology_->build(16), other = make_topology(GetParam().json)->build(16);
  std::vector<LinkId> into{99};
  for_each_pair(*one, [&](std::uint32_t from, std::uint32_t to) {
    one->route(from, to, into);
    EXPECT_EQ(into, route(*other, from, to));
  });
}

// What carries a learner's messages away carries nothing of what comes to it, and the other way around.
TEST_P(EveryTopology, EndsARouteOnlyOnLinksThatLeadToTheReceiver) {
  auto cluster = topology_->build(16);
  std::vector<std::set<std::uint32_t>> begins(cluster->links().size());
  for_each_pair(*cluster, [&](std::uint32_t from, std::uint32_t to) {
    auto links = route(*cluster, from, to);
    begins[links.front()].insert(from);
  });
  for_each_pair(*cluster, [&](std::uint32_t from, std::uint32_t to) {
    auto links = route(*cluster, from, to);
    for (std::size_t i = 1; i < links.size(); ++i)
      EXPECT_FALSE(begins[links[i]].contains(from)) << path(*cluster, from, to);
    EXPECT_FALSE(begins[links.back()].contains(to)) << path(*cluster, from, to);
  });
}

TEST_P(EveryTopology, EstimatesWhatItsRoutesSay) {
  for (std::uint32_t learners : {2U, 3U, 16U, 64U}) {
    auto cluster = topology_->build(learners);
    double longest = 0;
    for_each_pair(*cluster, [&](std::uint32_t from, std::uint32_t to) {
      longest = std::max(longest, cluster->latency(route(*cluster, from, to)));
    });
    EXPECT_NEAR(topology_->longest_latency(learners), longest, 1e-15) << learners;
    EXPECT_GT(topology_->narrowest_bandwidth(learners), 0);
    EXPECT_GE(topology_->sharing(learners), 1U);
  }
}

TEST_P(EveryTopology, HasPlacesForItsLearnersInItsGroups) {
  for (std::uint32_t learners : kLearners) {
    auto groups = topology_->groups(learners);
    std::uint32_t places = 0;
    for (std::uint32_t size : groups) places += size;
    EXPECT_TRUE(groups.empty() || places >= learners);
  }
}

std::string name_of_topology(const testing::TestParamInfo<Example>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Catalog, EveryTopology, testing::ValuesIn(kExamples), name_of_topology);

// Described clusters are topologies with other defaults, and have a suite of their own.
TEST(Examples, NameEveryTopologyOfTheCatalog) {
  std::set<std::string> described;
  for (const auto& cluster : described_clusters()) described.emplace(cluster.name);
  for (const std::string& name : topology_catalog().names())
    EXPECT_TRUE(described.contains(name) ||
                std::any_of(std::begin(kExamples), std::end(kExamples),
                            [&](const Example& example) { return example.name == name; }))
        << name;
}

// Links and one route per learner at 16,384 learners, in well under a second.
TEST(LargeClusters, AreQuicklyBuiltAndRouted) {
  for (const char* json :
       {R"({"name": "star", "bandwidth": "1GBps"})",
        R"({"name": "heterogeneous", "bandwidth": "1GBps", "learners": [8192, 8192], "percents": [100, 10]})",
        R"({"name": "ring", "bandwidth": "1GBps"})",
        R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [32, 32, 16]})",
        R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [32, 32, 16], "up": [16, 16]})",
        R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [32, 512], "up": [32], "routing": "ecmp"})",
        R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 128, "routers_per_group": 16,
            "learners_per_router": 8})",
        R"({"name": "two_datacentres", "bandwidth": "1GBps", "wan_bandwidth": "1GBps"})",
        R"({"name": "gpu_nodes", "bandwidth": "1GBps"})", R"({"name": "pcie_nodes", "bandwidth": "1GBps"})",
        R"({"name": "gpu_nodes", "bandwidth": "1GBps", "placement": "random"})",
        R"({"name": "rail_optimised", "bandwidth": "1GBps", "between_rails": "spine"})"}) {
    constexpr std::uint32_t kMany = 16'384;
    auto begin = std::chrono::steady_clock::now();
    auto cluster = build(json, kMany);
    std::vector<LinkId> links;
    for (std::uint32_t from = 0; from < kMany; ++from) cluster->route(from, (from + 1) % kMany, links);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(seconds.count(), 1) << json;
    RecordProperty(Json::parse(json, "test").at("name").text(), std::to_string(seconds.count()));
  }
}

}  // namespace
}  // namespace traincast
