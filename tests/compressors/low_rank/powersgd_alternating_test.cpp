#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;
using Error = ErrorRule::Error;

/// Nothing is remembered yet, P of each 2 × 2 matrix is (1, 0), Q was never sent.
void start_from_first_unit_vector(UnitRun& run, std::size_t learners, std::size_t matrices) {
  Writer state;
  state.put<std::uint64_t>(0);
  for (std::size_t learner = 0; learner < learners; ++learner)
    state.put_all(std::span<const float>(Vector(4 * matrices, 0.0f)));
  Vector p;
  for (std::size_t i = 0; i < matrices; ++i) p.insert(p.end(), {1, 0});
  state.put_all(std::span<const float>(p));
  state.put_all(std::span<const float>());
  run.load(state.bytes());
}

// M₁ = ((1, 2), (3, 4)), M₂ = ((1, 0), (1, 0)). Step 0: Q̄ = the mean first row (1, 1). Step 1: q̂ = (1, 1)/√2,
// M₁ + E₁ = ((1, 2), (6, 8)), M₂ + E₂ = ((1, 0), (2, 0)), so P̄ = (2, 8)/√2 and P̄q̂ᵀ = ((1, 1), (4, 4)).
TEST(PowerSgdAlternating, FollowsTheWorkedExample) {
  UnitRun run(R"({"name": "powersgd_alternating", "rank": 1, "min_compression_rate": 0.5})", 2,
              one_tensor({2, 2}));
  start_from_first_unit_vector(run, 2, 1);
  Vectors gradients = {{1, 2, 3, 4}, {1, 0, 1, 0}};
  expect_near(run.step(gradients).average, {1, 1, 0, 0});
  expect_near(run.memory(0), {0, 0, 3, 4});
  expect_near(run.memory(1), {0, 0, 1, 0});
  expect_near(run.step(gradients).average, {1, 1, 4, 4});
  expect_near(run.memory(0), {-0.5f, 0.5f, -1, 1});
  expect_near(run.memory(1), {0.5f, -0.5f, 1, -1});
  expect_near(run.step(gradients).average, {0.5294118f, 0.5294118f, 2.1176471f, 2.1176471f});
}

// Two equal matrices whose P = (1, 0) is divided by √2 instead of 1: both approximations are halved.
TEST(PowerSgdAlternating, HalvesEqualShapesWithOneNormAsThePackageDoes) {
  Bucket pair{0, {{0, "a", {2, 2}, "linear.weight"}, {1, "b", {2, 2}, "linear.weight"}}};
  UnitRun run(
      R"({"name": "powersgd_alternating", "rank": 1, "min_compression_rate": 0.5, "joint_norm": true})", 1,
      pair);
  start_from_first_unit_vector(run, 1, 2);
  expect_near(run.step({{1, 2, 3, 4, 1, 0, 1, 0}}).average, {0.5, 1, 0, 0, 0.5, 0, 0, 0});
}

TEST(PowerSgdAlternating, SendsQAndPByTurns) {
  UnitRun run(R"({"name": "powersgd_alternating", "rank": 3})", 2, one_tensor({50, 20}));
  for (std::uint64_t t = 0; t < 4; ++t) {
    auto phases = run.step(random_gradients(2, 1000, t)).phases;
    EXPECT_EQ(summed_elements(phases), t % 2 == 0 ? 3u * 20 : 3u * 50);
  }
}

TEST(PowerSgdAlternating, StartsWithWholeGradients) {
  UnitRun run(R"({"name": "powersgd_alternating", "rank": 3, "start_compressing_after_num_steps": 2})", 2,
              one_tensor({50, 20}));
  const std::uint64_t floats[] = {1000, 1000, 3 * 20, 3 * 50};
  for (std::uint64_t t = 0; t < 4; ++t)
    EXPECT_EQ(summed_elements(run.step(random_gradients(2, 1000, t)).phases), floats[t]) << t;
}

// Two half-steps on what is left: the second repairs what the first left of a matrix of rank 2, except along
// the direction that is sent already.
TEST(PowerSgdAlternating, SendsWhatEarlierHalfStepsLeft) {
  auto g = random_gradients(3, 30 * 20, 0);
  double left[3];
  for (int half_steps : {1, 2, 3}) {
    UnitRun run(
        R"({"name": "powersgd_alternating", "rank": 2, "min_compression_rate": 1, "num_iters_per_step": )" +
            std::to_string(half_steps) + "}",
        3, one_tensor({30, 20}));
    auto result = run.step(g);
    const std::uint64_t floats[] = {2 * 20, 2 * (20 + 30), 2 * (20 + 30 + 20)};
    EXPECT_EQ(summed_elements(result.phases), floats[half_steps - 1]);
    double square = 0;
    for (std::size_t i = 0; i < 600; ++i) {
      double mean = (double(g[0][i]) + double(g[1][i]) + double(g[2][i])) / 3;
      square += (mean - result.average[i]) * (mean - result.average[i]);
    }
    left[half_steps - 1] = square;
  }
  EXPECT_LT(left[1], left[0]);
  EXPECT_LT(left[2], left[1]);
}

TEST(PowerSgdAlternating, HasTheSameMeanMemoryUnderBothErrors) {
  const char* json = R"({"name": "powersgd_alternating", "rank": 2, "min_compression_rate": 0.5})";
  UnitRun local(json, 3, one_tensor({12, 7})),
      global(json, 3, one_tensor({12, 7}), ErrorRule{Error::global, 1});
  for (std::uint64_t t = 0; t < 5; ++t) {
    auto g = random_gradients(3, 84, t);
    auto a = local.step(g).average, b = global.step(g).average;
    EXPECT_THAT(a, Pointwise(FloatNear(2e-4f), b));
    for (std::size_t i = 0; i < 84; ++i) {
      float mean_a = 0, mean_b = 0;
      for (LearnerId learner = 0; learner < 3; ++learner) {
        mean_a += local.memory(learner)[i] / 3;
        mean_b += global.memory(learner)[i] / 3;
      }
      EXPECT_NEAR(mean_a, mean_b, 2e-4);
    }
  }
}

// One all-reduce a bucket: factors and vectors are one buffer.
TEST(AcpSgd, SendsOneBuffer) {
  std::vector<std::vector<Phase>> units;
  for (const auto& shape : {std::vector<std::int64_t>{64, 32}, {64}, {10, 64}, {10}}) {
    UnitRun run(R"({"name": "acpsgd", "rank": 4})", 2, one_tensor(shape));
    units.push_back(run.step(random_gradients(2, one_tensor(shape).numel())).phases);
  }
  BucketExchange bucket = fuse(units);
  ASSERT_TRUE(bucket.phases[0].op);
  EXPECT_EQ(bucket.phases[0].op->count, 4u * 32 + 64 + 4 * 64 + 10);
  for (std::size_t i = 1; i < bucket.phases.size(); ++i) EXPECT_FALSE(bucket.phases[i].op);
}

}  // namespace
}  // namespace traincast
