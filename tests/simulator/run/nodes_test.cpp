// Methods with collectives within and across nodes: what a run on GPU nodes makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "simulator/pass/exchange_file.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

// Two nodes of four; layers of 48 × 40, 48, 10 × 48 and 10 elements.
const std::string kNodes = R"("learners": 8, "overlap": false, "buckets": "model",
    "collective": {"all_reduce": "ring", "all_gather": "ring", "reduce_scatter": "ring"},
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "optimizer": "100us",
                "encode": {"hierarchical": "0s", "zeropp": "0s"},
                "decode": {"hierarchical": "0s", "zeropp": "0s"}},
    "platform": {"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "10us",
                 "intra_bandwidth": "10GBps", "intra_latency": "2us"})";

class Nodes : public testing::Test {
 protected:
  static void SetUpTestSuite() { trace_ = write_small_trace("nodes_test", 8, 3); }
  static PointReport point(const std::string& compressor) {
    return quiet_run(plan_on_trace(trace_, kNodes + R"(, "compressor": )" + compressor))
        .report.points.front();
  }
  static std::map<std::string, double> tiers(const PointReport& point) {
    return {point.tier_bytes.begin(), point.tier_bytes.end()};
  }
  static std::string trace_;
};
std::string Nodes::trace_;

// Parts of 12 rows of 48, 12 of 48, 3 rows of 10 (two learners' worth of zeros) and 3 of 10 elements: 639
// floats. Within a node a ring of three rounds each way; between the two nodes two rounds of 320 floats at
// most, while all four learners of a node share its NIC. Transfers cross two ports or two NICs.
TEST_F(Nodes, TakeTheTimeAndTheLinksOfBothLevels) {
  PointReport point = Nodes::point(R"({"name": "hierarchical", "node_size": 4, "between": "none"})");
  const double part = 12 * 40 + 12 + 3 * 48 + 3;
  const double within = 3 * (4e-6 + 4 * part * 1e-10),
               across = 2 * (20e-6 + 4 * 4 * std::ceil(part / 2) * 1e-9);
  EXPECT_NEAR(point.step_seconds.mean, 3.1e-3 + 2 * within + across, 1e-9 * 3.1e-3);
  EXPECT_DOUBLE_EQ(tiers(point)["nvlink"], 2 * 8 * (2 * 3) * 4 * part);
  EXPECT_DOUBLE_EQ(tiers(point)["nic"], 2 * 4 * 2 * 4 * part);
  EXPECT_NEAR(point.relative_error->mean, 0, 1e-6);
}

// What was sent between nodes of one size serves for no other.
TEST_F(Nodes, AreInTheKeyOfWhatWasSent) {
  auto key = [](const char* compressor) {
    Plan plan = plan_on_trace(trace_, kNodes + R"(, "compressor": )" + compressor);
    return exchange_key(plan.points.front().scenario);
  };
  EXPECT_NE(key(R"({"name": "hierarchical", "node_size": 4, "between": "none"})"),
            key(R"({"name": "hierarchical", "node_size": 2, "between": "none"})"));
  EXPECT_NE(key(R"({"name": "zeropp", "node_size": 4})"), key(R"({"name": "zeropp", "node_size": 2})"));
}

// Of 48 × 40 = 8 · 240 elements four bits each, to three others in the node for both nodes, then to the other
// node, with a scale of each 240 / (48 / 8) elements; the 10 × 48 likewise in chunks of 60; vectors dense.
TEST_F(Nodes, SendAnEighthOverPortsAndAThirtySecondOverNics) {
  PointReport point = Nodes::point(R"({"name": "zeropp", "node_size": 4})");
  const double chunks = 240 + 60, scales = 4 * (48 / 8 + 48 / 8);
  const double within = 2 * (chunks / 2 + scales), across = chunks / 2 + scales;
  // Vectors of 48 and 10 (padded to 16) floats reduce-scattered over a ring of all: two of its eight hops
  // cross nodes; then all chunks in bf16 (6 and 2 elements of the vectors) around the same ring.
  const double ring = 7 * (4 * (48 + 16) / 8.0) + 7 * (2 * (chunks + 6 + 2));
  EXPECT_DOUBLE_EQ(tiers(point)["nvlink"], 2 * (8 * 3 * within + 6 * ring));
  EXPECT_DOUBLE_EQ(tiers(point)["nic"], 2 * (8 * across + 2 * ring));
}

TEST_F(Nodes, MustBeFull) {
  EXPECT_EQ(refusal([&] {
              plan_on_trace(trace_, kNodes + R"(, "compressor": {"name": "zeropp", "node_size": 3})");
            }),
            "test.json:/compressor: needs nodes that are full, got 8 learners in nodes of 3");
}

const std::string kAnyTimes = R"("timings": "measured", )";

TEST_F(Nodes, HaveNoServers) {
  EXPECT_EQ(refusal([&] {
              plan_on_trace(
                  trace_,
                  kAnyTimes + R"("stack": "byteps", "compressor": {"name": "zeropp", "node_size": 4})");
            }),
            "test.json:/stack: sums at servers, which sub-groups of learners do not have; 'zeropp' runs its "
            "collectives within and across nodes");
}

// 'recursive_halving' takes a power of two: nodes of 4, but not the 3 of them.
TEST_F(Nodes, NeedAnAlgorithmForEveryGroup) {
  EXPECT_EQ(
      refusal([&] {
        plan_on_trace(trace_,
                      kAnyTimes + R"("learners": 12, "collective": {"reduce_scatter": "recursive_halving"},
                                       "compressor": {"name": "zeropp", "node_size": 4})");
      }),
      "test.json:/collective/reduce_scatter: 'recursive_halving' needs a number of ranks that is a power of "
      "two, got 3; 'auto' takes one that can");
}

}  // namespace
}  // namespace traincast
