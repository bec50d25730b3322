// SimGrid's times on every topology are those that the routes say.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/child_processes.hpp"
#include "base/serial.hpp"
#include "simulator/replay/simgrid_network.hpp"
#include "tests/platforms/platform_helpers.hpp"

namespace traincast {
namespace {

struct Flow {
  std::uint32_t from, to;
  std::uint64_t bytes;
  double start_s;
};

// When each has arrived; in a child, since SimGrid allows one engine per process.
std::vector<double> arrivals(const Cluster& cluster, const std::vector<Flow>& flows) {
  auto results = run_in_children(
      1, 1,
      [&](std::size_t) {
        SimGridNetwork network(cluster);
        std::vector<double> times(flows.size());
        for (std::size_t i = 0; i < flows.size(); ++i)
          network.after(flows[i].start_s, [&, i] {
            network.transfer({flows[i].from, flows[i].to, flows[i].bytes, flows[i].bytes},
                             [&, i] { times[i] = network.now(); });
          });
        network.run();
        Writer writer;
        writer.put_all(std::span<const double>(times));
        return writer.bytes();
      },
      nullptr);
  return Reader(results.front()).get_all<double>();
}

double latency(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  return cluster.latency(route(cluster, from, to));
}

double narrowest(const Cluster& cluster, const std::vector<LinkId>& links) {
  double least = cluster.links()[links.front()].bandwidth;
  for (LinkId link : links) least = std::min(least, cluster.links()[link].bandwidth);
  return least;
}

class SimGridOn : public testing::TestWithParam<Example> {
 protected:
  std::unique_ptr<Cluster> cluster_ = build(GetParam().json, 16);
};

TEST_P(SimGridOn, OneFlowTakesItsLatencyAndItsBytesOverTheNarrowestLink) {
  constexpr std::uint64_t kBytes = 1'000'000;
  // One after another, each well after the one before is over.
  std::vector<Flow> flows;
  for (std::uint32_t to = 1; to < 16; ++to)
    for (auto [a, b] : {std::pair{0U, to}, std::pair{to, 0U}})
      flows.push_back({a, b, kBytes, static_cast<double>(flows.size())});
  auto times = arrivals(*cluster_, flows);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    auto links = route(*cluster_, flows[i].from, flows[i].to);
    double expected = cluster_->latency(links) + kBytes / narrowest(*cluster_, links);
    EXPECT_NEAR(times[i] - flows[i].start_s, expected, 1e-9 * (1 + expected)) << i;
  }
}

std::vector<LinkId> shared(const Cluster& cluster, const Flow& one, const Flow& other) {
  std::vector<LinkId> both;
  auto links = route(cluster, other.from, other.to);
  for (LinkId link : route(cluster, one.from, one.to))
    if (std::count(links.begin(), links.end(), link)) both.push_back(link);
  return both;
}

// Two flows between four learners that share a link, or where there are none, of one sender.
std::optional<std::pair<Flow, Flow>> two_that_share(const Cluster& cluster, bool of_one_sender) {
  for (std::uint32_t a = 0; a < 16; ++a)
    for (std::uint32_t b = 0; b < 16; ++b)
      for (std::uint32_t c = a; c < (of_one_sender ? a + 1 : 16); ++c)
        for (std::uint32_t d = 0; d < 16; ++d) {
          Flow one{a, b, 0, 0}, other{c, d, 0, 0};
          if (a == b || c == d || b == d || (!of_one_sender && (a == c || a == d || b == c))) continue;
          if (!shared(cluster, one, other).empty()) return std::pair{one, other};
        }
  return std::nullopt;
}

// Both get half of the narrowest link that they share, unless one is narrower elsewhere; then the other gets
// the rest. The bytes are what they carry in a second from the moment at which both have their latency behind
// them, so that both end together.
TEST_P(SimGridOn, TwoFlowsShareALinkFairly) {
  auto pair = two_that_share(*cluster_, false);
  if (!pair) pair = two_that_share(*cluster_, true);
  if (!pair) {
    EXPECT_STREQ(GetParam().name, "fully_connected") << "no two flows share a link";
    return;
  }
  auto [one, other] = *pair;
  double half = narrowest(*cluster_, shared(*cluster_, one, other)) / 2;
  double one_alone = narrowest(*cluster_, route(*cluster_, one.from, one.to));
  double other_alone = narrowest(*cluster_, route(*cluster_, other.from, other.to));
  double one_rate = std::min(one_alone, std::max(half, 2 * half - other_alone));
  double other_rate = std::min(other_alone, 2 * half - one_rate);
  one.bytes = static_cast<std::uint64_t>(one_rate);
  other.bytes = static_cast<std::uint64_t>(other_rate);
  one.start_s = 1 - latency(*cluster_, one.from, one.to);
  other.start_s = 1 - latency(*cluster_, other.from, other.to);
  for (double time : arrivals(*cluster_, {one, other})) EXPECT_NEAR(time, 2, 1e-8);
}

std::string name_of(const testing::TestParamInfo<Example>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Catalog, SimGridOn, testing::ValuesIn(kExamples), name_of);

// Routes are declared as they are first used: every pair of 64 learners, and a ring of 1,024.
TEST(SimGridPlatform, TakesManyRoutesQuickly) {
  auto small = build(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [8, 8], "up": [4]})", 64);
  auto large = build(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [32, 32], "up": [16]})", 1024);
  std::vector<Flow> all_pairs, ring;
  for (std::uint32_t from = 0; from < 64; ++from)
    for (std::uint32_t to = 0; to < 64; ++to)
      if (from != to) all_pairs.push_back({from, to, 1, 1e-3 * static_cast<double>(all_pairs.size())});
  for (std::uint32_t from = 0; from < 1024; ++from) ring.push_back({from, (from + 1) % 1024, 1'000'000, 0});
  auto seconds = [](auto work) {
    auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  double all_pairs_s = seconds([&] { arrivals(*small, all_pairs); });
  double ring_s = seconds([&] { arrivals(*large, ring); });
  EXPECT_LT(all_pairs_s, 2);
  EXPECT_LT(ring_s, 2);
  RecordProperty("all_pairs_of_64_s", std::to_string(all_pairs_s));
  RecordProperty("ring_of_1024_s", std::to_string(ring_s));
}

}  // namespace
}  // namespace traincast
