#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;
using Error = ErrorRule::Error;

/// Two learners with a 2 × 2 matrix each, their mean of rank 1; Q starts as (1, 0).
struct Worked {
  explicit Worked(ErrorRule rule) : run(R"({"name": "powersgd", "rank": 1})", 2, one_tensor({2, 2}), rule) {
    Writer state;
    state.put<std::uint64_t>(0);
    for (int learner = 0; learner < 2; ++learner) state.put_all(std::span<const float>(Vector(4, 0.0f)));
    state.put_all(std::span<const float>(Vector{1, 0}));
    run.load(state.bytes());
  }
  Vectors gradients = {{1, 2, 3, 4}, {1, 0, 1, 0}};
  UnitRun run;
};

// P = M₁q + M₂q = (2, 4), P̂ = (1, 2)/√5, Q̄ = mean of MᵀP̂ = (√5, √5), P̂Q̄ᵀ = ((1, 1), (2, 2)), which is the
// mean of M. What each learner has beyond it stays in its memory and grows; the mean of the memories is 0.
TEST(PowerSgd, LetsMemoriesDriftApartWithTheGlobalError) {
  Worked worked({Error::global, 1});
  for (int t = 1; t <= 3; ++t) {
    auto time = static_cast<float>(t);
    expect_near(worked.run.step(worked.gradients).average, {1, 1, 2, 2});
    expect_near(worked.run.memory(0), {0, time, time, 2 * time});
    expect_near(worked.run.memory(1), {0, -time, -time, -2 * time});
  }
}

// Learner by learner: Q₁ = (7, 10)/√5, P̂Q₁ᵀ = ((1.4, 2), (2.8, 4)), so E₁ = ((−0.4, 0), (0.2, 0)) = −E₂.
TEST(PowerSgd, SendsTheSameWithTheLocalError) {
  Worked worked({Error::local, 1});
  expect_near(worked.run.step(worked.gradients).average, {1, 1, 2, 2});
  expect_near(worked.run.memory(0), {-0.4f, 0, 0.2f, 0});
  expect_near(worked.run.memory(1), {0.4f, 0, -0.2f, 0});
  for (int t = 2; t <= 3; ++t) {
    expect_near(worked.run.step(worked.gradients).average, {1, 1, 2, 2});
    auto first = worked.run.memory(0), second = worked.run.memory(1);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(first[i] + second[i], 0, 1e-5);
  }
}

TEST(PowerSgd, HasTheSameMeanMemoryUnderBothErrors) {
  UnitRun global(R"({"name": "powersgd", "rank": 2})", 3, one_tensor({12, 7}));
  UnitRun local(R"({"name": "powersgd", "rank": 2})", 3, one_tensor({12, 7}), ErrorRule{Error::local, 1});
  for (std::uint64_t t = 0; t < 4; ++t) {
    auto g = random_gradients(3, 84, t);
    auto a = global.step(g).average, b = local.step(g).average;
    for (std::size_t i = 0; i < 84; ++i) {
      EXPECT_NEAR(a[i], b[i], 1e-4);
      float mean_a = 0, mean_b = 0;
      for (LearnerId learner = 0; learner < 3; ++learner) {
        mean_a += global.memory(learner)[i] / 3;
        mean_b += local.memory(learner)[i] / 3;
      }
      EXPECT_NEAR(mean_a, mean_b, 1e-4);
    }
  }
}

TEST(PowerSgd, IsExactWhereTheRankSuffices) {
  // rank ≥ min(n, m): P̂ spans all rows, so P̂P̂ᵀM = M.
  UnitRun run(R"({"name": "powersgd", "rank": 9})", 2, one_tensor({3, 2, 5}));
  auto g = random_gradients(2, 30);
  auto result = run.step(g);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_NEAR(result.average[i], (g[0][i] + g[1][i]) / 2, 1e-5);
  EXPECT_EQ(result.phases[0].op->count, 3u * 3);
  EXPECT_EQ(result.phases[2].op->count, 3u * 10);
}

TEST(PowerSgd, SendsVectorsWholeWithoutWaitingForThem) {
  UnitRun run(R"({"name": "powersgd", "rank": 2})", 2, one_tensor({5}));
  auto result = run.step({{1, 2, 3, 4, 5}, {3, 2, 1, 0, -1}});
  EXPECT_THAT(result.average, ElementsAre(2, 2, 2, 2, 2));
  ASSERT_EQ(result.phases.size(), 2u);
  EXPECT_FALSE(result.phases[0].op);
  EXPECT_EQ(result.phases[1].op->count, 5u);
  EXPECT_FALSE(result.phases[1].op->waits);
  EXPECT_THAT(run.memory(0), ElementsAre(0, 0, 0, 0, 0));
}

TEST(PowerSgd, DrawsQAnewInEveryStepWithoutWarmStart) {
  // The mean has rank 2, so that one step's rank-1 output shows which Q it started from.
  const Vectors g = {{3, 0, 0, 2}};
  UnitRun warm(R"({"name": "powersgd", "rank": 1})", 1, one_tensor({2, 2}), ErrorRule{});
  UnitRun cold(R"({"name": "powersgd", "rank": 1, "warm_start": false})", 1, one_tensor({2, 2}), ErrorRule{});
  EXPECT_EQ(warm.step(g).average, cold.step(g).average);  // both start from the draw of step 0
  // Warm steps are a power iteration: they go to the larger singular value, 3, by (2/3)² a step.
  for (int step = 0; step < 40; ++step) warm.step(g);
  expect_near(warm.step(g).average, {3, 0, 0, 0});
  EXPECT_NE(cold.step(g).average, cold.step(g).average);
}

TEST(PowerSgd, RefusesASavedFactorOfAnotherShape) {
  UnitRun wide(R"({"name": "powersgd", "rank": 1})", 1, one_tensor({2, 6}));
  UnitRun square(R"({"name": "powersgd", "rank": 1})", 1, one_tensor({3, 4}));
  wide.step(random_gradients(1, 12));
  square.load(wide.save());
  EXPECT_THROW(square.step(random_gradients(1, 12)), InputError);
}

// A column of P is divided by its norm + 1e-8, and P is a sum, not a mean: N learners with 1e-8 in the second
// place have p̂₂ = N/(N + 1), and p̂₂²·1e-8 is applied.
TEST(PowerSgd, DampsColumnsNearZero) {
  for (std::uint32_t learners : {1u, 3u}) {
    UnitRun run(R"({"name": "powersgd", "rank": 2})", learners, one_tensor({2, 2}), ErrorRule{});
    Writer state;
    state.put<std::uint64_t>(0);
    state.put_all(std::span<const float>(Vector{1, 0, 0, 1}));
    run.load(state.bytes());
    Vector average = run.step(Vectors(learners, Vector{1, 0, 0, 1e-8f})).average;
    EXPECT_NEAR(average[0], 1, 1e-6);
    EXPECT_NEAR(average[3] / 1e-8, std::pow(learners / (learners + 1.0), 2), 1e-5);
  }
}

// As in the authors' code: what rounding leaves of columns beyond the matrix's own rank is normalised too, to
// columns that are not orthogonal to the others, and adds what was added already. The hook's QR has no such
// end.
TEST(PowerSgd, TurnsRoundingIntoColumnsBeyondTheMatrixsRank) {
  auto error = [](const std::string& json) {
    UnitRun run(json, 1, one_tensor({20, 90}), ErrorRule{});
    auto g = random_gradients(1, 20 * 90);
    std::fill(g[0].begin() + 10 * 90, g[0].end(), 0.0f);  // of rank 10
    const Vector average = run.step(g).average;
    double left = 0, all = 0;
    for (std::size_t i = 0; i < average.size(); ++i) {
      left += std::pow(double(average[i]) - double(g[0][i]), 2);
      all += std::pow(double(g[0][i]), 2);
    }
    return std::sqrt(left / all);
  };
  EXPECT_LT(error(R"({"name": "powersgd", "rank": 10})"), 1e-5);
  EXPECT_GT(error(R"({"name": "powersgd", "rank": 20})"), 0.1);
  EXPECT_LT(
      error(R"({"name": "powersgd_hook", "matrix_approximation_rank": 20, "min_compression_rate": 0.1})"),
      1e-5);
}

// As in the authors' code: Q of a step without gradient is 0, and nothing comes of it with warm start.
TEST(PowerSgd, IsSilencedByAStepOfZeros) {
  for (bool warm : {true, false}) {
    UnitRun run(
        std::string(R"({"name": "powersgd", "rank": 1, "warm_start": )") + (warm ? "true}" : "false}"), 1,
        one_tensor({4, 3}), ErrorRule{});
    run.step(random_gradients(1, 12));
    run.step(Vectors(1, Vector(12, 0.0f)));
    Vector average = run.step(random_gradients(1, 12)).average;
    EXPECT_EQ(std::all_of(average.begin(), average.end(), [](float value) { return value == 0; }), warm);
  }
}

// Vogels et al. 2019 give 4, 8, 14 and 24 MB per epoch of 24 steps; derived: per matrix min(n, m, r)·(n + m)
// floats, and the 9,610 of the vectors.
TEST(PowerSgd, SendsThePublishedFloatsForResNet18) {
  for (auto [rank, floats] : {std::pair{1, 45935u}, {2, 82260u}, {4, 154910u}, {7, 263885u}}) {
    std::string json = R"({"name": "powersgd", "rank": )" + std::to_string(rank) + "}";
    std::vector<std::vector<Phase>> units;
    for (const TensorInfo& layer : resnet18_layers()) {
      Bucket unit{layer.id, {layer}};
      UnitRun run(json, 1, unit, ErrorRule{});
      units.push_back(run.step(Vectors(1, Vector(unit.numel()))).phases);
    }
    BucketExchange model = fuse(units);
    EXPECT_EQ(summed_elements(model.phases), floats) << "rank " << rank;
    ASSERT_EQ(model.phases.size(), 4u);
    EXPECT_TRUE(model.phases[0].op->waits);
    EXPECT_EQ(model.phases[1].op->count, 9610u);
    EXPECT_FALSE(model.phases[1].op->waits);
    EXPECT_TRUE(model.phases[2].op->waits);
    EXPECT_FALSE(model.phases[3].op);
  }
}

}  // namespace
}  // namespace traincast
