// Learners of different speed, as a report tells of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/report_runner.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

// Four learners of which the last takes `slower` times as long: 10 ms of computing and 1 of optimizing each.
Json report_of(double slower, const std::string& compressor = R"("none")") {
  Json document = Json::parse(R"({
    "name": "test", "learners": 4, "steps": 1, "gradients": {"name": "shapes", "shape": [250000]},
    "timings": {"name": "given", "forward": "4ms", "backward": "6ms", "optimizer": "1ms",
                "encode": {"topk": "2ms"}, "decode": {"topk": "3ms"}},
    "overlap": false, "collective": {"all_reduce": "ring", "all_gather": "ring"},
    "platform": {"name": "star", "bandwidth": "1GBps", "latency": "0s"},
    "speeds": {"name": "given", "groups": [{"learners": 3, "speed": 1}, {"learners": 1, "speed": 1}]}})",
                              "test");
  document["speeds"]["groups"].items()[1]["speed"] = 1 / slower;
  document["compressor"] = Json::parse(compressor, "compressor");
  return report_runner(RunOptions())(document, "test.json").at("points").items()[0];
}

// A ring all-reduce of 1 MB among four takes 2 · 3 · 0.25 ms.
TEST(Speeds, TheSlowestLearnerMakesTheStepAndTheOthersWait) {
  Json even = report_of(1), uneven = report_of(3);
  EXPECT_NEAR(even.at("step_seconds").number(), 11e-3 + 1.5e-3, 1e-12);
  EXPECT_NEAR(even.at("mean_wait_seconds").number(), 0, 1e-12);
  EXPECT_NEAR(uneven.at("step_seconds").number(), 33e-3 + 1.5e-3, 1e-12);
  EXPECT_NEAR(uneven.at("compute_seconds").number(), 33e-3, 1e-12)
      << "of the slowest, which waits for nobody";
  EXPECT_NEAR(uneven.at("wait_seconds").number(), 0, 1e-12);
  // Three of four wait 20 ms for its gradients, and 2 ms until it has applied them.
  EXPECT_NEAR(uneven.at("mean_wait_seconds").number(), 0.75 * 22e-3, 1e-12);
}

TEST(Speeds, HoldForCodecsAndForTheDenseRunsOfTheComparison) {
  Json topk = report_of(3, R"({"name": "topk", "density": 0.01})");
  EXPECT_NEAR(topk.at("compute_seconds").number(), 33e-3, 1e-12);
  EXPECT_NEAR(topk.at("encode_seconds").number(), 6e-3, 1e-12);
  EXPECT_NEAR(topk.at("decode_seconds").number(), 9e-3, 1e-12);
  // Dense fp32 on the same learners: ring and overlap alike, but for DDP's overlap, which the best dense run
  // has.
  double dense = topk.at("speedup_over_fp32").number() * topk.at("step_seconds").number();
  EXPECT_GT(dense, 33e-3);
  EXPECT_LT(dense, 33e-3 + 1.5e-3 + 1e-12);
}

// Throughput against one learner of full speed: computing alone takes three times as long here.
TEST(Speeds, SlowLearnersLowerTheScalingEfficiency) {
  EXPECT_NEAR(report_of(3).at("scaling_efficiency").number(), 11e-3 / 34.5e-3, 1e-9);
}

}  // namespace
}  // namespace traincast
