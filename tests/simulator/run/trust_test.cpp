// What a report says about itself: distance from its bounds, effective bandwidth, and when not to trust it.
#include <gmock/gmock.h>

#include "simulator/least_traffic.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Trust : public testing::Test {
 protected:
  static void SetUpTestSuite() { trace_ = write_small_trace("trust_test", 8, 3); }
  static RunResult result(const std::string& members) { return quiet_run(plan_on_trace(trace_, members)); }
  static std::string trace_;
};
std::string Trust::trace_;

// A ring at latency 0 keeps every link busy from its first byte to its last; only the uneven division of the
// elements into eight blocks is lost.
TEST_F(Trust, ARingWithoutLatencyReachesItsBoundAndLatencyKeepsItFromIt) {
  const std::string ring = R"("steps": 2, "collective": {"all_reduce": "ring"}, "buckets": "model", )";
  PointReport fast = result(ring + R"("platform": {"name": "star", "bandwidth": "1Gbps", "latency": "0s"})")
                         .report.points[0];
  double d = static_cast<double>(fast.parameters), block = std::ceil(d / 8);
  ASSERT_EQ(fast.tier_use.size(), 1u);
  EXPECT_EQ(fast.tier_use[0].tier, "network");
  EXPECT_NEAR(fast.communication_seconds.mean, 14 * 4 * block / 125e6, 1e-15);
  EXPECT_GE(fast.tier_use[0].share, d / 8 / block * (1 - 1e-9));
  EXPECT_LE(fast.tier_use[0].share, 1 + 1e-9);
  EXPECT_NEAR(fast.tier_use[0].bytes_per_second, 125e6 * fast.tier_use[0].share, 1);

  // Each of the 14 rounds waits for two links of 50 us.
  PointReport far = result(ring + R"("platform": {"name": "star", "bandwidth": "1Gbps", "latency": "50us"})")
                        .report.points[0];
  double seconds = fast.communication_seconds.mean;
  EXPECT_NEAR(far.tier_use[0].share, fast.tier_use[0].share * seconds / (seconds + 14 * 100e-6), 1e-9);
}

TEST_F(Trust, EveryCheckOfEveryMethodPasses) {
  for (const Check& check :
       result("\"sweep\": {\"/learners\": [1, 3, 8], " + kFiveMethods + "}").report.checks)
    EXPECT_TRUE(check.passed) << check.name << ": " << check.value;
}

// A ring sends exactly what an all-reduce needs; recursive doubling log2 N times the vector instead of
// 2(N−1)/N.
TEST_F(Trust, TheLeastTrafficIsWhatARingSends) {
  for (auto [algorithm, factor] : {std::pair{"ring", 1.0}, {"recursive_doubling", 3.0 / (14.0 / 8)}}) {
    RunResult run = result(std::string(R"("collective": {"all_reduce": ")") + algorithm + "\"}");
    const PointReport& p = run.report.points[0];
    EXPECT_DOUBLE_EQ(p.bytes_sent_total / p.least_bytes_total, factor) << algorithm;
  }
}

TEST(LeastTraffic, CountsWhatMustLeaveALearner) {
  Op op{.word = Word::all_gather};
  op.bytes = {5, 7, 11};
  EXPECT_EQ(least_traffic(op, 3), 2 * 23u);
  EXPECT_EQ(least_traffic(op, 1), 0u);
  op.word = Word::push_pull;
  op.pulled = 10;
  EXPECT_EQ(least_traffic(op, 3), 12 + 2 * 10u);
  op.word = Word::all_to_all;
  op.bytes = {100, 1, 2, 3, 100, 4, 5, 6, 100};
  EXPECT_EQ(least_traffic(op, 3), 21u);
  op.bytes = {2};
  EXPECT_EQ(least_traffic(op, 3), 12u);
  op.word = Word::broadcast;
  op.bytes = {9};
  EXPECT_EQ(least_traffic(op, 4), 27u);
}

TEST(LeastTraffic, StaysWithinSubgroups) {
  Op op{.word = Word::all_gather, .bytes = {5, 7, 11, 13}, .members = {Among::within, 2}};
  EXPECT_EQ(least_traffic(op, 4), 36u) << "each message reaches the other learner of its node";
  op.bytes = {9};
  op.word = Word::broadcast;
  EXPECT_EQ(least_traffic(op, 4), 2 * 9u);
  op.word = Word::all_to_all;
  EXPECT_EQ(least_traffic(op, 4), 4 * 9u);
  op.bytes = {100, 1, 2, 100, 100, 3, 4, 100};  // learners 0 and 1, 2 and 3
  EXPECT_EQ(least_traffic(op, 4), 10u);
  op = {.word = Word::all_reduce, .count = 6, .members = {Among::across, 2}};
  EXPECT_EQ(least_traffic(op, 4), 2 * 2 * 6 * 4u) << "two groups of two";
  op.members.node_size = 4;
  EXPECT_EQ(least_traffic(op, 4), 0u) << "one node";
}

// Two parameters a learner at 50 us a link: a ring takes 14 rounds, halving-doubling 6.
TEST_F(Trust, WarnsWhereARingWasNamedAndATreeWouldWin) {
  const std::string platform = R"("platform": {"name": "star", "bandwidth": "100Gbps", "latency": "50us"})";
  std::vector<std::string> named =
      result(R"("collective": {"all_reduce": "ring"}, )" + platform).report.warnings;
  EXPECT_THAT(named,
              Contains(StartsWith("all_reduce by 'ring' is not the quickest: none fp32 at 8 learners")));
  EXPECT_THAT(result(platform).report.warnings, Not(Contains(HasSubstr("not the quickest"))));
  // Where bytes decide, the ring is as good as any.
  EXPECT_THAT(result(R"("collective": {"all_reduce": "ring"},
                        "platform": {"name": "star", "bandwidth": "1Mbps", "latency": "0s"})")
                  .report.warnings,
              Not(Contains(HasSubstr("not the quickest"))));
}

TEST_F(Trust, WarnsWhereThereAreOnlyShapes) {
  RunResult run = quiet_run(make_plan(Json::parse(R"({"name": "shapes", "learners": 4, "steps": 1,
      "gradients": {"name": "shapes", "shape": [1000]}, "platform": {"name": "star", "bandwidth": "1Gbps"},
      "timings": {"name": "given", "forward": "1ms", "backward": "1ms"}})",
                                                  "shapes"),
                                      "shapes.json", {}));
  EXPECT_THAT(run.report.warnings, Contains(HasSubstr("no gradients, only their shapes")));
  EXPECT_THAT(result("\"steps\": 1").report.warnings, Not(Contains(HasSubstr("only their shapes"))));
}

// Points are compared within one place, so that two platforms must not look alike.
TEST(Places, AreToldApartByWhatASweepWritesOfThem) {
  const std::string file = std::string(TRAINCAST_SOURCE_DIR) + "/tests/platforms/cluster_of_72.xml";
  RunResult run = quiet_run(make_plan(Json::parse(R"({"name": "places", "learners": 4, "steps": 1,
      "gradients": {"name": "shapes", "shape": [1000]}, "platform": "dgx_a100",
      "timings": {"name": "given", "forward": "1ms", "backward": "1ms"},
      "sweep": {"/platform": [{"name": "torus", "bandwidth": "8Gbps", "dimensions": [4]},
                              {"name": "torus", "bandwidth": "8Gbps", "dimensions": [2, 2]},
                              {"name": "xml", "path": ")" +
                                                      file + R"("}, "dgx_a100"]}})",
                                                  "places"),
                                      "places.json", {}));
  std::vector<std::string> places;
  for (const PointReport& point : run.report.points) places.push_back(point.place);
  EXPECT_THAT(places, testing::ElementsAre("torus dimensions=[4], 8 Gb/s", "torus dimensions=[2,2], 8 Gb/s",
                                           "xml path=" + file, "dgx_a100, 200 Gb/s"));
  EXPECT_THAT(run.report.verdict, Contains(StartsWith("torus dimensions=[2,2], 8 Gb/s, 4 learners: ")));
}

// A ring in drawn order behind shared NICs: 2·239 rounds of 240 transfers, and no proof for the recursion.
TEST(Engines, ThatStandInForSimGridAreToldOnlyWhereTheyWereNotNamed) {
  Json document = Json::parse(R"({"name": "large", "learners": 240, "steps": 1,
      "gradients": {"name": "shapes", "shape": [100000]}, "collective": {"all_reduce": "ring"},
      "platform": {"name": "gpu_nodes", "bandwidth": "10Gbps", "placement": "random"},
      "timings": {"name": "given", "forward": "1ms", "backward": "1ms"}})",
                              "large");
  RunOptions options;
  options.quiet = true;
  options.break_evens = false;
  for (bool named : {false, true}) {
    if (named) {
      document["engine"] = "flow";
      document["learners"] = 16;  // the choice is not one of size
    }
    RunResult result = run(make_plan(document, "large.json", {}), options);
    EXPECT_EQ(result.report.points[0].engines, std::vector<std::string>{"flow"});
    EXPECT_EQ(result.report.points[0].stood_in, !named);
    EXPECT_EQ(testing::Matches(Contains(HasSubstr("stood in for SimGrid")))(result.report.warnings), !named);
  }
}

}  // namespace
}  // namespace traincast
