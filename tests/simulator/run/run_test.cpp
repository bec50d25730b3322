// Why the numbers make sense: what must hold between points, whatever the gradients.
#include "simulator/run.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

class Run : public testing::Test {
 protected:
  static void SetUpTestSuite() { trace_ = write_small_trace("run_test", 16, 6); }

  static RunResult points(const std::string& members, unsigned threads = 1) {
    return quiet_run(plan_on_trace(trace_, members), threads);
  }

  static std::string trace_;
};
std::string Run::trace_;

const std::string kSweep = "\"sweep\": {\"/learners\": [2, 4, 8, 16], " + kFiveMethods + "}";

std::vector<PointReport> of(const RunResult& result, const std::string& compressor) {
  std::vector<PointReport> some;
  for (const PointReport& p : result.report.points)
    if (p.compressor == compressor) some.push_back(p);
  return some;
}

TEST_F(Run, TopKBuildsUpWithLearnersBelowWhatIndependentSupportsWould) {
  double last = 1;
  for (const PointReport& p : of(points(kSweep), "topk")) {
    ASSERT_TRUE(p.build_up);
    EXPECT_GT(p.build_up->final_union.mean, last) << p.learners;
    EXPECT_LT(p.build_up->final_union.mean, p.build_up->independent) << p.learners;
    EXPECT_DOUBLE_EQ(p.build_up->by_hop.front(), 1) << "one learner's union is its support";
    EXPECT_EQ(p.build_up->by_hop.size(), p.learners);
    EXPECT_DOUBLE_EQ(p.build_up->by_hop.back(), p.build_up->final_union.mean);
    last = p.build_up->final_union.mean;
  }
}

TEST_F(Run, ScaleComDoesNotBuildUpAndPowerSgdHasNoSupports) {
  RunResult result = points(kSweep);
  for (const PointReport& p : of(result, "scalecom"))
    EXPECT_DOUBLE_EQ(p.build_up->final_union.mean, 1) << p.learners;
  for (const PointReport& p : of(result, "powersgd")) EXPECT_FALSE(p.build_up);
  for (const PointReport& p : of(result, "none")) EXPECT_FALSE(p.build_up);
}

TEST_F(Run, GatheredBytesGrowWithLearnersAndSummedOnesFollowTheRing) {
  RunResult result = points(kSweep + R"(, "collective": {"all_reduce": "ring", "all_gather": "ring"})");
  // k = ⌊0.02·numel⌋, at least 1: 38 + 1 + 9 + 1 entries of 8 bytes; each learner passes on all messages but
  // one.
  for (const PointReport& p : of(result, "topk"))
    EXPECT_DOUBLE_EQ(p.bytes_sent_per_learner.mean, (p.learners - 1) * 8.0 * (38 + 1 + 9 + 1));
  // Summed messages: bytes · N / (2 (N−1)) is the size of the message. PowerSGD rank 2: 2·((48+40) + (10+48))
  // + 48 + 10.
  for (const PointReport& p : of(result, "powersgd"))
    EXPECT_NEAR(p.bytes_sent_per_learner.mean * p.learners / (2.0 * (p.learners - 1)), 4.0 * (2 * 146 + 58),
                1e-9);
  for (const PointReport& p : of(result, "none"))
    EXPECT_NEAR(p.bytes_sent_per_learner.mean * p.learners / (2.0 * (p.learners - 1)),
                (p.precision == "bf16" ? 2.0 : 4.0) * (48 * 40 + 48 + 480 + 10), 1e-9);
}

TEST_F(Run, DenseStepOnAStarIsTheClosedForm) {
  RunResult result = points(R"("overlap": false, "buckets": "model", "collective": {"all_reduce": "ring"},
                               "sweep": {"/learners": [1, 2, 4, 8, 16]})");
  double parameters = 48 * 40 + 48 + 480 + 10;
  for (const PointReport& p : result.report.points) {
    double n = p.learners, compute = 1e-3 + 2e-3 + 1e-4;
    // 2(N−1) rounds of ⌈d/N⌉ floats over two links of 5 us and 1 Gb/s.
    double ring = 2 * (n - 1) * (2 * 5e-6 + 4 * std::ceil(parameters / n) / 125e6);
    EXPECT_NEAR(p.step_seconds.mean, compute + ring, 1e-9 * compute) << n;
    EXPECT_NEAR(p.exposed_communication_seconds.mean, ring, 1e-9 * compute) << n;
    EXPECT_NEAR(*p.scaling_speedup, n * compute / (compute + ring), 1e-9 * n) << n;
  }
}

TEST_F(Run, WithoutAnyCostOfCommunicationNothingThatEncodesBeatsDense) {
  RunResult result =
      points(kSweep + R"(, "platform": {"name": "star", "bandwidth": "1000000Tbps", "latency": "0s"})");
  for (const PointReport& p : result.report.points)
    EXPECT_TRUE(p.encode_seconds.mean == 0 || *p.speedup < 1) << p.label << " " << p.learners;
}

TEST_F(Run, TimesAddUpAtEveryPoint) {
  for (const char* overlap : {"true", "false"}) {
    RunResult result = points(kSweep + R"(, "overlap": )" + overlap);
    ASSERT_EQ(result.report.points.size(), 20u);
    for (const PointReport& p : result.report.points)
      EXPECT_NEAR(p.compute_seconds.mean + p.exposed_encode_seconds.mean +
                      p.exposed_communication_seconds.mean + p.exposed_decode_seconds.mean +
                      p.wait_seconds.mean + p.slowdown_seconds.mean,
                  p.step_seconds.mean, 1e-9 * p.step_seconds.mean);
    for (const Check& check : result.report.checks) EXPECT_TRUE(check.passed) << check.name;
  }
}

TEST_F(Run, OverlapHidesCommunicationAndNeverCostsTime) {
  RunResult with = points(kSweep), without = points(kSweep + R"(, "overlap": false)");
  for (std::size_t i = 0; i < with.report.points.size(); ++i) {
    EXPECT_LE(with.report.points[i].step_seconds.mean,
              without.report.points[i].step_seconds.mean * (1 + 1e-9));
    bool dense = without.report.points[i].compressor == "none";  // compared with overlapped dense
    EXPECT_TRUE(!dense || *without.report.points[i].speedup <= 1 + 1e-9);
  }
}

TEST_F(Run, DenseIsItsOwnMeasure) {
  RunResult result = points(kSweep);
  for (std::size_t i = 0; i + 1 < result.report.points.size(); ++i) {
    const PointReport &fp32 = result.report.points[i], &bf16 = result.report.points[i + 1];
    if (fp32.precision != "fp32" || bf16.precision != "bf16") continue;
    EXPECT_DOUBLE_EQ(std::max(*fp32.speedup, *bf16.speedup), 1);
    EXPECT_DOUBLE_EQ(*fp32.speedup_over_fp32, 1);
    EXPECT_DOUBLE_EQ(*fp32.wire_ratio, 1);
    EXPECT_DOUBLE_EQ(*bf16.wire_ratio, 2);
    EXPECT_NEAR(fp32.relative_error->mean, 0, 1e-6);
    EXPECT_NEAR(bf16.relative_error->mean, 0, 1e-2);
    EXPECT_GT(bf16.relative_error->mean, 1e-4);
  }
}

TEST_F(Run, RatiosAreThoseOfTheMessages) {
  RunResult result = points(kSweep);
  double dense = 4.0 * (48 * 40 + 48 + 480 + 10), k = 38 + 1 + 9 + 1;
  for (const PointReport& p : of(result, "topk")) {
    EXPECT_DOUBLE_EQ(*p.payload_ratio, dense / (4 * k));
    EXPECT_DOUBLE_EQ(*p.wire_ratio, dense / (8 * k));
  }
  // ScaleCom, rate 50: ⌈1920/50⌉ + 1 + ⌈480/50⌉ + 1 values of each learner, and the indices of one among N.
  double chunks = 39 + 1 + 10 + 1;
  for (const PointReport& p : of(result, "scalecom")) {
    EXPECT_DOUBLE_EQ(*p.payload_ratio, dense / (4 * chunks));
    EXPECT_NEAR(*p.wire_ratio, dense / (4 * chunks * (1 + 1.0 / p.learners)), 1e-12 * dense);
  }
}

TEST_F(Run, SaysWhenMemoriesStillGrow) {
  RunResult result = points(R"("compressor": {"name": "topk", "density": 0.02})");
  EXPECT_TRUE(result.report.points[0].memory_grows);
  ASSERT_EQ(result.report.warnings.size(), 1u);
  EXPECT_EQ(result.report.warnings[0],
            "topk density=0.02: error memories still grow after 3 steps, so build-up and errors are those of "
            "an early step "
            "(an entry is sent about every 50 steps: take as many)");
}

TEST_F(Run, OneLearnerSendsNothing) {
  RunResult result = points("\"sweep\": {\"/learners\": [1], " + kFiveMethods + "}");
  for (const PointReport& p : result.report.points) {
    EXPECT_EQ(p.bytes_sent_per_learner.mean, 0) << p.label;
    EXPECT_TRUE(p.collectives.empty());
    EXPECT_FALSE(p.traffic_ratio);
    EXPECT_EQ(p.exposed_communication_seconds.mean, 0);
  }
}

TEST_F(Run, GivesTheSameReportWhateverTheNumberOfThreads) {
  Json one = to_json(points(kSweep, 1).report), two = to_json(points(kSweep, 2).report),
       five = to_json(points(kSweep, 5).report);
  EXPECT_EQ(one.dump(), two.dump());
  EXPECT_EQ(one.dump(), five.dump());
}

TEST_F(Run, EverySubsetOfASweepGivesTheSamePoints) {
  RunResult all = points(kSweep), some = points("\"sweep\": {\"/learners\": [8], " + kFiveMethods + "}");
  for (const PointReport& p : some.report.points)
    for (const PointReport& q : all.report.points)
      if (p.label == q.label && p.learners == q.learners) {
        EXPECT_EQ(p.step_seconds.mean, q.step_seconds.mean);
        EXPECT_EQ(p.contraction->mean, q.contraction->mean);
      }
}

TEST_F(Run, BreakEvenIsWhereTheMethodMeetsDense) {
  RunResult result = points(R"("sweep": {"/compressor": [{"name": "powersgd", "rank": 1}]}, "learners": 16)");
  ASSERT_EQ(result.report.break_evens.size(), 1u);
  const BreakEven& found = result.report.break_evens[0];
  ASSERT_EQ(found.wins.size(), 1u);
  EXPECT_EQ(found.wins[0].first, found.low) << "it wins where the network is slow";
  // Within the search's sixteenth of an octave, on both sides.
  for (auto [factor, better] : {std::pair{1 / 1.1, true}, std::pair{1.1, false}}) {
    std::string bandwidth = Json(found.wins[0].second * factor).dump(-1) + "Bps";
    RunResult near = points(R"("compressor": {"name": "powersgd", "rank": 1}, "learners": 16,
                               "platform": {"name": "star", "latency": "5us", "bandwidth": ")" +
                            bandwidth + "\"}");
    EXPECT_EQ(*near.report.points[0].speedup > 1, better) << bandwidth;
  }
}

TEST_F(Run, SpeedupDoesNotProfitFromABadChoiceForDense) {
  std::string sweep = "\"sweep\": {" + kFiveMethods + "}";
  RunResult automatic = points(sweep),
            tree = points(sweep + R"(, "collective": {"all_reduce": "binomial_tree"})");
  for (std::size_t i = 0; i < automatic.report.points.size(); ++i) {
    const PointReport &a = automatic.report.points[i], &t = tree.report.points[i];
    // The best dense run is the same for both: 8 learners and these sizes take another algorithm than the
    // tree.
    EXPECT_NEAR(*a.speedup * a.step_seconds.mean, *t.speedup * t.step_seconds.mean, 1e-12) << a.label;
    EXPECT_EQ(t.best_dense, "none bf16 halving_doubling");
  }
}

TEST_F(Run, AsksForNoMoreThanTheTraceHas) {
  EXPECT_EQ(refusal([] { points(R"("learners": 17)"); }),
            "test.json:/learners: the trace " + trace_ + " has 16 learners, and the scenario asks for 17");
  EXPECT_EQ(refusal([] { points(R"("steps": 7)"); }),
            "test.json:/steps: the trace " + trace_ + " has 6 steps, and the scenario asks for 7");
}

TEST_F(Run, TracesTimedElsewhereNeedGivenTimes) {
  std::string elsewhere = write_small_trace("elsewhere", 2, 1, "another processor");
  std::string measured = R"("learners": 2, "steps": 1, "timings": "measured")";
  EXPECT_THAT(refusal([&] { quiet_run(plan_on_trace(elsewhere, measured)); }),
              testing::StartsWith("test.json:/timings: the trace was timed on 'another processor', and "
                                  "codecs would be measured on '"));
}

TEST_F(Run, TellsOfAnEngineThatIsNotProvenWhereItWasAskedFor) {
  EXPECT_THAT(
      refusal([] {
        points(R"("engine": "max_plus", "collective": {"all_reduce": "halving_doubling"},
                          "platform": {"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps"})");
      }),
      testing::StartsWith("test.json:/engine: 'max_plus' is exact only where no two transfers share a "
                          "link, and link 'nic-0_"));
}

}  // namespace
}  // namespace traincast
