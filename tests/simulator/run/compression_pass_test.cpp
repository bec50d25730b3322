// The compression pass over several methods at once, and the sums of gradients that they share.
#include "simulator/pass/compression_pass.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "simulator/pass/gradient_sums.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

const std::string& small_trace() {
  static const std::string trace = write_small_trace("compression_pass", 40, 2);
  return trace;
}

TEST(GradientSums, AreTheSameToTheBitFromAnyBeginningAndWithoutRoom) {
  TraceReader trace(small_trace(), 1);
  const std::uint64_t numel = trace.manifest().layers[0].numel();
  std::vector<double> sum(numel, 0.0);
  std::vector<float> gradient(numel);
  for (LearnerId learner = 0; learner < 7; ++learner) {
    trace.read(1, learner, 0, gradient);
    for (std::size_t e = 0; e < numel; ++e) sum[e] += static_cast<double>(gradient[e]);
  }
  GradientSums keeping(trace, {3, 7, 40}, 1e9), forgetting(trace, {3, 7, 40}, 0);
  EXPECT_EQ(forgetting.of(1, 0, 7)->sum, sum);
  keeping.of(1, 0, 3);
  EXPECT_EQ(keeping.of(1, 0, 7)->sum, sum) << "goes on from 3";
  keeping.of(0, 0, 40);
  EXPECT_EQ(keeping.of(0, 0, 7)->sum, forgetting.of(0, 0, 7)->sum) << "kept on the way to 40";
  EXPECT_EQ(keeping.of(0, 0, 40)->squares, forgetting.of(0, 0, 40)->squares);
}

TEST(CompressionPass, GivesSideBySideWhatEachGivesAlone) {
  TraceReader trace(small_trace(), 1);
  Plan plan = plan_on_trace(small_trace(), R"("learners": 40, "steps": 2, "sweep": {
      "/learners": [1, 7, 40], )" + kFiveMethods +
                                               "}");
  std::vector<const Scenario*> scenarios;
  for (const Point& point : plan.points) scenarios.push_back(&point.scenario);
  std::size_t heard = 0;
  std::vector<ExchangeRecord> together =
      run_compressions(scenarios, trace, 3, [&](std::size_t done) { EXPECT_EQ(done, ++heard); });
  EXPECT_EQ(heard, scenarios.size());
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    ExchangeRecord alone = run_compression(*scenarios[i], trace, 1);
    ASSERT_EQ(alone.steps.size(), together[i].steps.size());
    for (std::size_t s = 0; s < alone.steps.size(); ++s) {
      const StepRecord &a = alone.steps[s], &b = together[i].steps[s];
      EXPECT_EQ(a.buckets, b.buckets);
      EXPECT_EQ(a.error_square, b.error_square) << plan.points[i].scenario.resolved.at("compressor").dump(-1);
      EXPECT_EQ(a.residual_square, b.residual_square);
      EXPECT_EQ(a.gradient_square, b.gradient_square);
      EXPECT_EQ(a.memory_square, b.memory_square);
      EXPECT_EQ(a.union_by_hop, b.union_by_hop);
    }
  }
}

// As scripts/traincast_trace.py leaves them, where nobody tells.
TEST(CompressionPass, NeedsNoRateAndNoDataOfOthersGradients) {
  const std::string trace = write_small_trace("of_others", 3, 2), manifest = trace + "/manifest.json";
  Json told = Json::read_file(manifest);
  auto sent = [&] {
    return run_compression(
        plan_on_trace(trace, R"("learners": 3, "steps": 2, "compressor": {"name": "topk", "density": 0.02})")
            .points.front()
            .scenario,
        TraceReader(trace, 1), 1);
  };
  const ExchangeRecord with_rate = sent();
  told["optimizer"] = Json(Json::Object{});
  told["data"] = Json::parse(R"({"name": "mine"})", "test");
  write_text_file(manifest, told.dump());
  const ExchangeRecord without = sent();
  for (std::size_t s = 0; s < 2; ++s) EXPECT_EQ(with_rate.steps[s].buckets, without.steps[s].buckets);
}

TEST(CompressionPass, SendsTheSameWhereverMemoriesAreHeld) {
  TraceReader trace(small_trace(), 1);
  auto sent = [&](const std::string& feedback) {
    Plan plan = plan_on_trace(small_trace(), R"("learners": 7, "steps": 2,
        "compressor": {"name": "topk", "density": 0.02}, "error_feedback": )" +
                                                 feedback);
    return run_compression(plan.points.front().scenario, trace, 1);
  };
  const ExchangeRecord here = sent("{}"), there = sent(R"({"memory": "file"})");
  for (std::size_t s = 0; s < here.steps.size(); ++s) {
    EXPECT_EQ(here.steps[s].buckets, there.steps[s].buckets);
    EXPECT_EQ(here.steps[s].memory_square, there.steps[s].memory_square);
    EXPECT_EQ(here.steps[s].residual_square, there.steps[s].residual_square);
  }
}

// Of 1,024 learners each byte of a memory counts: 4 in fp32, 2 in bf16, none on the disk.
TEST(CompressionPass, CountsMemoriesAsTheyAreHeld) {
  TraceReader trace(small_trace(), 1);
  auto expected = [&](const std::string& feedback) {
    Plan plan = plan_on_trace(small_trace(), R"("learners": 40, "steps": 1, "buckets": "tensor",
        "compressor": {"name": "topk", "density": 0.02}, "error_feedback": )" +
                                                 feedback);
    const Scenario* alone[] = {&plan.points.front().scenario};
    return compression_memory(alone, trace, 1);
  };
  const double largest = 48 * 40, floats = expected("{}");
  EXPECT_EQ(floats - expected(R"({"memory": "bf16"})"), 2 * 40 * largest);
  EXPECT_EQ(floats - expected(R"({"memory": "file"})"), 4 * 40 * largest);
  EXPECT_EQ(floats - expected(R"({"error": "none"})"), 4 * 40 * largest);
}

}  // namespace
}  // namespace traincast
