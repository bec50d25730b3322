// Clusters and comparisons for tests of engines.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "simulator/replay/replay.hpp"
#include "simulator/replay/sharing_proof.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {

/// Routes written down pair by pair.
class WrittenCluster : public Cluster {
 public:
  struct WrittenRoute {
    Rank from, to;
    std::vector<LinkId> links;
  };
  WrittenCluster(std::uint32_t learners, std::vector<Link> links, std::vector<WrittenRoute> routes)
      : Cluster(learners, std::move(links)), routes_(std::move(routes)) {}

  void route(Rank from, Rank to, std::vector<LinkId>& into) const override {
    for (const WrittenRoute& route : routes_)
      if (route.from == from && route.to == to) into = route.links;
  }

 private:
  std::vector<WrittenRoute> routes_;
};

inline std::unique_ptr<Topology> shared_nics() {
  return make_topology(
      R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "7us"})");
}

inline std::unique_ptr<Topology> own_nics() {
  return make_topology(
      R"({"name": "gpu_nodes", "gpus_per_node": 4, "nics": "per_gpu", "bandwidth": "1GBps", "latency": "7us"})");
}

inline void expect_close(double measured, double reference, double tolerance, const std::string& what) {
  EXPECT_NEAR(measured, reference, tolerance * reference + 1e-18) << what;
}

}  // namespace traincast
