#include "simulator/training/training_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "simulator/training/optimizer_state.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

TrainingRun quickly_trained(const std::string& members = "", unsigned threads = 1,
                            const std::filesystem::path& checkpoint = {},
                            const std::function<void(std::uint64_t)>& progress = {}) {
  return QuickTraining{members, threads, checkpoint, progress}.run();
}

std::vector<double> numbers(const TrainingRun& run) {
  std::vector<double> all;
  for (const Evaluated& at : run.curve) {
    all.insert(all.end(), {static_cast<double>(at.step), at.held_out.loss, at.held_out.accuracy});
    if (at.step > 0) all.push_back(at.learners_loss);
    for (double distance : {at.similarity.memory_distance, at.similarity.selection_distance})
      all.push_back(std::isnan(distance) ? -1 : distance);
  }
  for (const StepRecord& step : run.exchange.steps)
    all.insert(all.end(), {step.error_square, step.memory_square, step.mean_gradient_square});
  return all;
}

TEST(Optimizer, IsThatOfPyTorch) {
  // Two steps by hand, p = 1, g = 0.5 then 0.25, η = 0.1, μ = 0.5, λ = 0.2.
  // plain:    v = 0.7, p = 0.93;    v = 0.35 + (0.25 + 0.186) = 0.786, p = 0.8514
  // Nesterov: v = 0.7, p = 1 − 0.1·(0.7 + 0.35) = 0.895; g = 0.429, v = 0.779, p = 0.895 − 0.1·0.8185
  for (bool nesterov : {false, true}) {
    OptimizerState optimizer({.momentum = 0.5, .nesterov = nesterov, .weight_decay = 0.2}, 1);
    std::vector<float> p{1.0f};
    optimizer.apply(std::vector<float>{0.5f}, 0.1, p);
    EXPECT_FLOAT_EQ(p[0], nesterov ? 0.895f : 0.93f);
    optimizer.apply(std::vector<float>{0.25f}, 0.1, p);
    EXPECT_FLOAT_EQ(p[0], nesterov ? 0.81315f : 0.8514f);
  }
}

TEST(TrainingRun, IsEvaluatedWhereItSays) {
  TrainingRun run = quickly_trained(R"("steps": 45, "training": {"name": "sync_sgd", "evaluate_every": 20})");
  ASSERT_EQ(run.curve.size(), 4u);
  EXPECT_EQ(run.curve[0].step, 0u);
  EXPECT_TRUE(std::isnan(run.curve[0].learners_loss));
  EXPECT_EQ(run.curve[1].step, 20u);
  EXPECT_EQ(run.curve[3].step, 45u) << "the last step is always evaluated";
  EXPECT_LT(run.curve[3].held_out.loss, run.curve[0].held_out.loss);
  EXPECT_EQ(run.exchange.steps.size(), 45u);
  EXPECT_EQ(run.curve[3].uploads, 45u * 3);
  EXPECT_FALSE(run.divergence);
}

TEST(TrainingRun, OfOneLearnerWithoutCompressionIsPlainSgd) {
  // The same by hand, on the world alone.
  TrainingRun run = quickly_trained(R"("learners": 1)");
  WorldOptions options = world_options(2);
  options.learners = 1;
  Valleys world(options);
  world.initial(world.vector(0));
  std::vector<float> v(world.vector(0).size(), 0.0f);
  for (std::uint64_t s = 0; s < 6; ++s) {
    Pass pass{0, s, world.vector(0), world.vector(1)};
    world.gradients({&pass, 1});
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] = 0.9f * v[i] + world.vector(1)[i];
      world.vector(0)[i] -= 0.02f * v[i];
    }
  }
  EXPECT_EQ(world.evaluate(world.vector(0), 40).loss, run.curve.back().held_out.loss);
}

TEST(TrainingRun, WithEverythingSentIsTheDenseRun) {
  TrainingRun dense = quickly_trained(),
              all = quickly_trained(R"("compressor": {"name": "topk", "density": 1})");
  for (std::size_t i = 0; i < dense.curve.size(); ++i)
    EXPECT_NEAR(all.curve[i].held_out.loss, dense.curve[i].held_out.loss, 1e-6);
  EXPECT_NE(quickly_trained(R"("compressor": {"name": "topk", "density": 0.01})").curve.back().held_out.loss,
            dense.curve.back().held_out.loss);
}

TEST(TrainingRun, DoesNotDependOnTheNumberOfThreads) {
  const std::string method = R"("compressor": {"name": "scalecom", "rate": 10})";
  EXPECT_EQ(numbers(quickly_trained(method, 3)), numbers(quickly_trained(method, 1)));
}

TEST(LocalSgd, ThatAveragesAfterEveryStepIsSynchronousSgd) {
  // The mean of momenta is the momentum of the mean: equal in exact arithmetic.
  TrainingRun sync = quickly_trained(),
              local =
                  quickly_trained(R"("training": {"name": "local_sgd", "period": 1, "evaluation_samples": 40,
                                              "evaluate_every": 2})");
  for (std::size_t i = 0; i < sync.curve.size(); ++i)
    EXPECT_NEAR(local.curve[i].held_out.loss, sync.curve[i].held_out.loss, 1e-5);
  EXPECT_TRUE(local.exchange.steps[0].after_backward);
}

std::size_t ops_of(const StepRecord& step) {
  std::size_t ops = 0;
  for (const BucketExchange& bucket : step.buckets)
    for (const Phase& phase : bucket.phases) ops += phase.op.has_value();
  return ops;
}

TEST(LocalSgd, SendsEveryFewStepsOnlyAndAfterEveryStepBeforeItIsLocal) {
  TrainingRun run = quickly_trained(R"("steps": 12, "training": {"name": "local_sgd", "period": 4,
      "local_after_epochs": 2, "evaluation_samples": 40})");  // of three steps each
  std::vector<bool> sends;
  for (const StepRecord& step : run.exchange.steps) sends.push_back(ops_of(step) > 0);
  EXPECT_EQ(sends, (std::vector<bool>{1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1}));
}

std::vector<Evaluated> evaluated_after_each(const std::string& period, const std::string& more = "") {
  return quickly_trained(R"("training": {"name": "local_sgd", "evaluation_samples": 40, "evaluate_every": 1,
                            "period": )" +
                         period + "}" + more)
      .curve;
}

TEST(LocalSgd, OfOneLearnerIsPlainSgdWhateverThePeriod) {
  const std::string alone = R"(, "learners": 1)";
  std::vector<Evaluated> often = evaluated_after_each("1", alone), seldom = evaluated_after_each("3", alone);
  for (std::size_t step : {3u, 6u}) EXPECT_NEAR(often[step].held_out.loss, seldom[step].held_out.loss, 1e-5);
}

// Nobody has sent the mean of models before that.
TEST(LocalSgd, IsEvaluatedAtItsLastAverage) {
  std::vector<std::uint64_t> of_step;
  std::vector<Evaluated> curve = evaluated_after_each("4");  // of six steps
  for (const Evaluated& at : curve) {
    of_step.push_back(at.of_step);
    EXPECT_EQ(at.held_out.loss, curve[at.of_step].held_out.loss) << "after step " << at.step;
  }
  EXPECT_EQ(of_step, (std::vector<std::uint64_t>{0, 0, 0, 0, 4, 4, 4}));
  EXPECT_NE(curve[4].held_out.loss, curve[0].held_out.loss);
  for (const Evaluated& at : evaluated_after_each("7")) EXPECT_EQ(at.held_out.loss, curve[0].held_out.loss);
}

TEST(LocalSgd, GoesOnFromACheckpointToTheByte) {
  struct Stop {};
  const std::string members =
      R"("compressor": {"name": "topk", "density": 0.1}, "training": {"name": "local_sgd",
      "period": 3, "evaluation_samples": 40, "evaluate_every": 2})";
  TrainingRun whole = quickly_trained(members);
  ScratchFolder folder;
  EXPECT_THROW(quickly_trained(members, 1, folder.path(),
                               [](std::uint64_t done) {
                                 if (done == 5) throw Stop{};
                               }),
               Stop);
  EXPECT_EQ(numbers(quickly_trained(members, 2, folder.path())), numbers(whole));
}

// Methods with memories, momenta, draws and a basis of their own, and one that takes its memories up late.
TEST(TrainingRun, GoesOnFromACheckpointToTheByte) {
  struct Stop {};
  for (const char* method : {R"({"name": "topk", "density": 0.05})", R"({"name": "powersgd", "rank": 2})",
                             R"({"name": "qsgd"})", R"({"name": "dgc", "density": 0.05})",
                             R"({"name": "by_step", "stages": [{"compressor": "none"},
                                 {"from": 3, "compressor": {"name": "topk", "density": 0.05}}]})",
                             R"({"name": "hierarchical", "node_size": 2,
                                 "between": {"name": "topk", "density": 0.05}})"}) {
    std::string members = std::string(R"("learners": 4, "compressor": )") + method;
    TrainingRun whole = quickly_trained(members);
    ScratchFolder folder;
    EXPECT_THROW(quickly_trained(members, 1, folder.path(),
                                 [](std::uint64_t done) {
                                   if (done == 5) throw Stop{};  // one step behind the checkpoint
                                 }),
                 Stop);
    std::uint64_t first = 0;
    TrainingRun resumed = quickly_trained(members, 2, folder.path(), [&](std::uint64_t done) {
      if (first == 0) first = done;
    });
    EXPECT_EQ(first, 5u) << method << ": four steps were there";
    EXPECT_EQ(numbers(resumed), numbers(whole)) << method;
    EXPECT_EQ(resumed.exchange.steps.back().buckets, whole.exchange.steps.back().buckets) << method;
    EXPECT_EQ(resumed.exchange.steps[4].mean_input_square, whole.exchange.steps[4].mean_input_square)
        << method << ": what was remembered counts in the first step again";
  }
}

// ScaleCom's recipe: dense at first, while the rate rises.
TEST(TrainingRun, WarmsUpWithDenseGradients) {
  TrainingRun run = quickly_trained(R"("learners": 4, "workload": {"name": "mlp", "hidden": [8], "batch": 4,
      "samples_per_learner": 12, "learning_rate": 0.02, "schedule": {"name": "constant", "warmup": 3}},
      "compressor": {"name": "by_step", "stages": [{"compressor": "none"},
                     {"from": 3, "compressor": {"name": "scalecom", "rate": 10, "beta": 0.1}}]})");
  for (std::size_t s = 0; s < 6; ++s) {
    const StepRecord& step = run.exchange.steps[s];
    EXPECT_EQ(step.regime, s < 3 ? 0u : 1u) << s;
    EXPECT_EQ(step.residual_square > 0.01 * step.mean_input_square, s >= 3) << s;
    EXPECT_EQ(step.memory_square > 0, s >= 3) << s;
  }
}

TEST(TrainingRun, ThatDivergesSaysWhereAndWhy) {
  TrainingRun run = quickly_trained(R"("steps": 40, "workload": {"name": "mlp", "hidden": [8], "batch": 4,
      "samples_per_learner": 12, "learning_rate": 100, "momentum": 0.99})");
  ASSERT_TRUE(run.divergence);
  EXPECT_LT(run.divergence->step, 40u);
  EXPECT_EQ(run.divergence->step, run.exchange.steps.size());
  EXPECT_THAT(run.divergence->cause, testing::HasSubstr("is not finite"));
}

// The second step of Adam by hand: g = 0.5, then 0.25; β₁ = 0.5, β₂ = 0.75.
TEST(Optimizer, IsAdamWhereTheWorkloadSaysSo) {
  OptimizerState optimizer({.kind = Optimizer::Kind::adam, .momentum = 0.5, .beta2 = 0.75, .epsilon = 0}, 1);
  std::vector<float> p{1.0f};
  optimizer.apply(std::vector<float>{0.5f}, 0.1, p);
  EXPECT_FLOAT_EQ(p[0], 0.9f) << "the first step is as long as the rate";
  optimizer.apply(std::vector<float>{0.25f}, 0.1, p);
  // m = 0.25, of which 1 − 0.25 is there; v = 0.0625, of which 1 − 0.5625 is there.
  EXPECT_FLOAT_EQ(p[0], 0.9f - 0.1f * (0.25f / 0.75f) / std::sqrt(0.0625f / 0.4375f));
}

TEST(TrainingRun, FollowsTheWorkloadsSchedule) {
  Plan plan =
      training_plan(R"("workload": {"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 12,
      "learning_rate": 0.02, "schedule": {"name": "steps", "at": [4], "factor": 0.5, "warmup": 2}})");
  const LoopTraining& training = *plan.points.front().scenario.training;
  EXPECT_DOUBLE_EQ(training.learning_rate_at(0), 0.01);
  EXPECT_DOUBLE_EQ(training.learning_rate_at(2), 0.02);
  EXPECT_DOUBLE_EQ(training.learning_rate_at(5), 0.01);
}

}  // namespace
}  // namespace traincast
