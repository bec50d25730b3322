// The norm test: when mini-batches grow, how far, and what that costs.
#include "simulator/training/batch_growth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

using testing::Each;
using testing::ElementsAre;

double growth(const std::vector<std::vector<float>>& gradients, double noise) {
  return growth_of_norm_test(std::vector<std::span<const float>>(gradients.begin(), gradients.end()), noise);
}

// Gradients (3, 1) and (1, 1): mean (2, 1), differences 1 + 1, so that the mean's variance is 2 / (2 · 1)
// = 1.
TEST(NormTest, SetsTheVarianceOfTheMeanBesideItsSquare) {
  const std::vector<std::vector<float>> two{{3, 1}, {1, 1}};
  EXPECT_DOUBLE_EQ(growth(two, 1), 1.0 / 5);
  EXPECT_DOUBLE_EQ(growth(two, 0.5), 4.0 / 5);
  // The same two, each twice: differences of 4 among four learners, 4 / (4 · 3).
  EXPECT_DOUBLE_EQ(growth({two[0], two[1], two[0], two[1]}, 1), 1.0 / 3 / 5);
}

TEST(NormTest, OfGradientsThatCancelAsksForAllAndOfEqualOnesForNothing) {
  EXPECT_EQ(growth({{1, 0}, {-1, 0}}, 1), INFINITY);
  EXPECT_EQ(growth({{1, 2}, {1, 2}}, 1), 0);
  EXPECT_EQ(growth({{0, 0}, {0, 0}}, 1), 0);
}

// Gradients of b samples with noise of variance σ²/b an element around (1, 1, …): the batch at which the test
// just holds among N learners is σ² / (N η²), whatever batch it is asked at.
TEST(NormTest, AsksForTheSameBatchFromAnyBatch) {
  const double sigma = 3, noise = 0.25;
  const std::uint32_t learners = 8, elements = 20000;
  for (double batch : {4.0, 64.0}) {
    std::vector<std::vector<float>> gradients(learners);
    for (LearnerId i = 0; i < learners; ++i) {
      RandomStream random({.seed = 3, .learner = i});
      for (std::uint32_t e = 0; e < elements; ++e)
        gradients[i].push_back(static_cast<float>(1 + sigma / std::sqrt(batch) * random.normal()));
    }
    // The noise in the mean itself adds σ²/(N b) to its square.
    const double square = 1 + sigma * sigma / (learners * batch);
    EXPECT_NEAR(batch * growth(gradients, noise) * square, sigma * sigma / (learners * noise * noise), 0.5)
        << "at " << batch;
  }
}

// Places of mini-batches are even draws, so that gradients near the common valley are nearly all noise.
std::string growing(const std::string& algorithm, const std::string& more = "") {
  return R"("steps": 48, "workload": {"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 48,
      "learning_rate": 0.2, "momentum": 0}, "training": {"evaluation_samples": 40, "name": )" +
         algorithm + "}" + more;
}

struct Grown {
  std::vector<std::uint32_t> batches;
  std::uint64_t taken = 0;
};

Grown grown(const TrainingRun& run) {
  Grown all;
  for (const StepRecord& step : run.exchange.steps) {
    all.batches.push_back(step.batches);
    all.taken += step.batches;
  }
  return all;
}

TEST(BatchGrowth, StaysAtTheWorkloadsBatchWithoutNoise) {
  for (const char* algorithm : {R"("sync_sgd")", R"("local_sgd", "period": 3)"}) {
    Grown run = grown(QuickTraining{growing(algorithm)}.run());
    EXPECT_THAT(run.batches, Each(1u)) << algorithm;
    EXPECT_EQ(run.taken, 48u);
  }
}

TEST(BatchGrowth, GrowsAsGradientsShrinkAndNeverFalls) {
  for (const char* algorithm : {R"("sync_sgd", "noise": 0.7)", R"("local_sgd", "period": 2, "noise": 0.7)"}) {
    TrainingRun trained = QuickTraining{growing(algorithm)}.run();
    Grown run = grown(trained);
    EXPECT_EQ(run.batches.front(), 1u) << algorithm;
    EXPECT_LT(run.batches.size(), 48u) << "fewer steps take as many samples";
    EXPECT_EQ(run.taken, 48u) << "four epochs of twelve mini-batches, grown or not";
    // The last step takes what is left.
    EXPECT_TRUE(std::is_sorted(run.batches.begin(), run.batches.end() - 1)) << algorithm;
    EXPECT_LE(*std::ranges::max_element(run.batches), 12u) << "a learner's samples";
    EXPECT_GT(*std::ranges::max_element(run.batches), 1u);
    EXPECT_EQ(trained.curve.back().batches, 48u);
    EXPECT_EQ(trained.curve.back().step, run.batches.size());
    EXPECT_EQ(trained.curve.back().batch, run.batches.back());
  }
}

TEST(BatchGrowth, IsEvaluatedByEpochsWhateverTheBatch) {
  TrainingRun run = QuickTraining{growing(R"("sync_sgd", "noise": 0.7)")}.run();
  ASSERT_LE(run.curve.size(), 5u) << "four epochs, and the start";
  for (std::size_t i = 1; i + 1 < run.curve.size(); ++i)
    EXPECT_GT(run.curve[i].batches / 12, run.curve[i - 1].batches / 12) << "evaluation " << i;
}

TEST(BatchGrowth, DoesNotPassTheLargestBatch) {
  Grown run = grown(QuickTraining{growing(R"("sync_sgd", "noise": 0.01, "largest_batch": 14)")}.run());
  EXPECT_EQ(run.batches[0], 1u);
  EXPECT_EQ(run.batches[1], 3u) << "twelve of fourteen samples are whole mini-batches";
}

TEST(BatchGrowth, ChangesNothingBeforeItsFirstTest) {
  TrainingRun plain = QuickTraining{growing(R"("local_sgd", "period": 4, "evaluate_every": 1)")}.run();
  TrainingRun tested =
      QuickTraining{growing(R"("local_sgd", "period": 4, "evaluate_every": 1, "noise": 0.01)")}.run();
  for (std::size_t i = 0; i <= 4; ++i)
    EXPECT_EQ(tested.curve[i].held_out.loss, plain.curve[i].held_out.loss) << i;
  EXPECT_EQ(grown(tested).batches[4], 12u);
}

std::vector<std::uint64_t> summed(const StepRecord& step) {
  std::vector<std::uint64_t> counts;
  for (const BucketExchange& bucket : step.buckets)
    for (const Phase& phase : bucket.phases)
      if (phase.op && phase.op->word == Word::all_reduce) counts.push_back(phase.op->count);
  return counts;
}

// The model has 3072·8 + 8 + 8·10 + 10 parameters.
TEST(BatchGrowth, PaysForTheMeanGradientWhereTheMethodDoesNotGiveIt) {
  const std::uint64_t all = 24674;
  const std::string buckets = R"(, "buckets": "model")";
  auto first = [&](const std::string& algorithm, const std::string& more) {
    return summed(QuickTraining{growing(algorithm, buckets + more)}.run().exchange.steps[0]);
  };
  const std::string tested = R"("sync_sgd", "noise": 0.7)",
                    topk = R"(, "compressor": {"name": "topk", "density": 0.1})";
  EXPECT_THAT(first(R"("sync_sgd")", ""), ElementsAre(all));
  EXPECT_THAT(first(tested, ""), ElementsAre(1u, all)) << "the sum of squares";
  EXPECT_THAT(first(tested, topk), ElementsAre(all + 1)) << "beside the gathered messages";
  EXPECT_THAT(first(R"("local_sgd", "period": 1, "noise": 0.7)", ""), ElementsAre(all + 1, all));
}

TEST(BatchGrowth, TestsEveryFewAveragingsWhereAsked) {
  TrainingRun run = QuickTraining{growing(R"("sync_sgd", "noise": 0.7, "test_every": 3)")}.run();
  std::vector<bool> tests;
  for (std::size_t s = 0; s < 6; ++s) tests.push_back(summed(run.exchange.steps[s]).size() > 1);
  EXPECT_EQ(tests, (std::vector<bool>{1, 0, 0, 1, 0, 0}));
  for (const StepRecord& step : run.exchange.steps) {
    EXPECT_EQ(step.regime, 0u);
    EXPECT_EQ(step.buckets[0].phases.size(), run.exchange.steps[0].buckets[0].phases.size());
  }
}

TEST(BatchGrowth, GoesOnFromACheckpointToTheByte) {
  struct Stop {};
  for (const char* algorithm : {R"("sync_sgd", "noise": 0.7, "test_every": 2, "evaluate_every": 3)",
                                R"("local_sgd", "period": 2, "noise": 0.7, "evaluate_every": 3)"}) {
    const std::string members = growing(algorithm, R"(, "compressor": {"name": "topk", "density": 0.1})");
    auto losses = [](const TrainingRun& run) {
      std::vector<double> all;
      for (const Evaluated& at : run.curve) all.push_back(at.held_out.loss);
      return all;
    };
    TrainingRun whole = QuickTraining{members}.run();
    ScratchFolder folder;
    EXPECT_THAT(grown(whole).batches.size(), testing::Ge(8u)) << "long enough to be interrupted";
    int steps = 0;
    EXPECT_THROW((QuickTraining{members, 1, folder.path(),
                                [&](std::uint64_t) {
                                  if (++steps == 7) throw Stop{};
                                }}
                      .run()),
                 Stop);
    TrainingRun resumed = QuickTraining{members, 2, folder.path()}.run();
    EXPECT_EQ(losses(resumed), losses(whole)) << algorithm;
    EXPECT_EQ(grown(resumed).batches, grown(whole).batches) << algorithm;
  }
}

}  // namespace
}  // namespace traincast
