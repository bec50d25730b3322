#include "simulator/training/loop_difference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/programs.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {
namespace {

ExchangeRecord two_steps(double united, double residual) {
  ExchangeRecord record;
  record.learners = 2;
  record.parameters = 50;
  for (double scale : {1.0, 2.0}) {
    StepRecord& step = record.steps.emplace_back();
    step.mean_support = 5;
    step.union_by_hop = {5, united};
    step.mean_input_square = 4;
    step.residual_square = residual / scale;
    Op op{Word::all_gather};
    op.bytes = {static_cast<Bytes>(40 * scale), 40};
    step.buckets = {{{Phase{{}, op}}}};
  }
  return record;
}

TEST(LoopSeries, AreMeansOverRunsByStep) {
  const ExchangeRecord runs[] = {two_steps(10, 2), two_steps(5, 1)};
  LoopSeries series = loop_series(runs);
  EXPECT_EQ(series.build_up, (std::vector<double>{1.5, 1.5}));
  EXPECT_EQ(series.contraction, (std::vector<double>{0.375, 0.1875}));
  EXPECT_EQ(series.ratio, (std::vector<double>{2 * 200.0 / 80, 2 * 200.0 / 120}));
}

TEST(LoopSeries, HaveNoBuildUpWithoutSupports) {
  ExchangeRecord run = two_steps(10, 2);
  for (StepRecord& step : run.steps) step.union_by_hop.clear();
  EXPECT_TRUE(std::isnan(loop_series({&run, 1}).build_up[0]));
}

TEST(GoodFor, IsWhereTheFirstWindowLeavesTheShare) {
  const std::vector<double> closed{1, 1, 1, 1, 1, 1};
  EXPECT_EQ(good_for(closed, closed, 2, 0.05), 6u);
  EXPECT_EQ(good_for(std::vector<double>{1, 1.04, 0.96, 1.1, 1.1, 1}, closed, 2, 0.05), 4u)
      << "means of 1.02, 1, 1.03, then 1.1";
  EXPECT_EQ(good_for(std::vector<double>{1, 1, 1, 1.2, 1, 1}, closed, 2, 0.05), 3u);
  EXPECT_EQ(good_for(std::vector<double>{2, 1, 1, 1, 1, 1}, closed, 2, 0.05), 0u);
}

// What the method does to the gradients of a trace, and to those of learners that follow the dense
// trajectory.
TEST(OpenLoop, IsThatOfTheRecordedTrajectory) {
  const std::string method = R"("compressor": {"name": "topk", "density": 0.05})";
  ScratchFolder folder;
  std::string recorded = folder / "trace";
  const WorldOptions options = world_options(4);
  const std::string workload = R"({"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 12,
                                   "learning_rate": 0.02})";
  ProgramEnd end = run_program({{options.program, "--workload", workload, "--learners", "3", "--steps", "6",
                                 "--seed", "1", "--out", recorded, "--quiet"},
                                "",
                                ""});
  ASSERT_EQ(end.code, 0);
  Plan open = training_plan(method + R"(, "training": null)");
  TraceReader trace(recorded, 1);
  ExchangeRecord along_trace = run_compression(open.points.front().scenario, trace, 1);

  auto trained = [&](const char* follow) {
    Plan plan = training_plan(method + R"(, "training": {"name": "sync_sgd", "follow": ")" + follow + "\"}");
    TrainingPlace place;
    place.program = kCaptureProgram;
    return train(plan.points.front().scenario, options.layers, place).exchange;
  };
  ExchangeRecord dense = trained("dense"), closed = trained("method");
  ASSERT_EQ(along_trace.steps.size(), 6u);
  ASSERT_EQ(dense.steps.size(), 6u);
  for (std::size_t s = 0; s < 6; ++s) {
    const StepRecord &a = along_trace.steps[s], &b = dense.steps[s];
    EXPECT_NEAR(b.mean_gradient_square, a.mean_gradient_square, 1e-4 * a.mean_gradient_square) << s;
    EXPECT_NEAR(b.residual_square, a.residual_square, 1e-4 * a.residual_square) << s;
    EXPECT_NEAR(b.union_by_hop.back(), a.union_by_hop.back(), 2) << s;
  }
  EXPECT_EQ(closed.steps[0].residual_square, dense.steps[0].residual_square);
  EXPECT_NE(closed.steps[5].residual_square, dense.steps[5].residual_square);
}

}  // namespace
}  // namespace traincast
