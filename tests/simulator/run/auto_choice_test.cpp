// What "auto" takes for a dense sum is near the best of the catalog, on most kinds of network and for short
// and long messages.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/assemble.hpp"
#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

double seconds(const CollectiveAlgorithm& algorithm, const Collective& collective, const Cluster& cluster) {
  auto times = replay_collective_here(*algorithm.schedule(collective), cluster,
                                      std::vector<double>(collective.ranks, 0.0), Engine::flow);
  return *std::max_element(times.finish_s.begin(), times.finish_s.end());
}

TEST(Auto, TakesAnAllReduceThatIsNearTheBest) {
  constexpr std::uint32_t kRanks = 32;
  for (const char* json :
       {R"({"name": "star", "bandwidth": "25Gbps"})", R"({"name": "ring", "bandwidth": "25Gbps"})",
        R"({"name": "torus", "bandwidth": "25Gbps", "dimensions": [8, 4]})",
        R"({"name": "torus", "bandwidth": "25Gbps", "dimensions": [4, 4, 2]})",
        R"({"name": "fully_connected", "bandwidth": "25Gbps"})",
        R"({"name": "fat_tree", "bandwidth": "25Gbps", "down": [8, 4], "up": [2]})",
        R"({"name": "dragonfly", "bandwidth": "25Gbps", "groups": 4, "routers_per_group": 2,
            "learners_per_router": 4})",
        R"({"name": "gpu_nodes", "bandwidth": "25Gbps"})",
        R"({"name": "gpu_nodes", "bandwidth": "25Gbps", "nics": "per_gpu"})",
        R"({"name": "gpu_nodes", "bandwidth": "25Gbps", "placement": "round_robin"})",
        R"({"name": "pcie_nodes", "bandwidth": "25Gbps"})",
        R"({"name": "rail_optimised", "bandwidth": "25Gbps"})",
        R"({"name": "two_datacentres", "bandwidth": "25Gbps", "wan_bandwidth": "10Gbps"})"}) {
    auto topology = make_topology(json);
    auto cluster = topology->build(kRanks);
    NetworkEstimate network = estimate_of(*topology, kRanks);
    for (std::uint64_t count : {1'000ULL, 100'000ULL, 10'000'000ULL}) {
      Collective sum{.ranks = kRanks, .count = count, .group = std::max(network.sharing, network.node_size)};
      double best = INFINITY;
      for (const auto& entry : collective_catalog(Word::all_reduce).entries())
        if (entry.make.refuses(sum).empty()) best = std::min(best, seconds(entry.make, sum, *cluster));
      const auto& taken = choose_algorithm("auto", sum, network);
      EXPECT_LT(seconds(taken.make, sum, *cluster), 1.25 * best)
          << taken.name << ", " << count << " on " << json;
    }
  }
}

}  // namespace
}  // namespace traincast
