#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compressors/privacy.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

constexpr const char* kOpen = R"({"name": "lsg", "rank": 2, "density": 0.05, "clip": 1e6, "noise": false})";

// Factors of 2(20 + 15) floats are summed; ⌊0.05·300⌋ = 15 entries of 8 bytes are gathered: 4r(n + m) + 8k.
TEST(Lsg, SendsTwoFactorsAndASparseRest) {
  UnitRun run(kOpen, 3, one_tensor({20, 15}));
  auto phases = run.step(random_gradients(3, 300)).phases;
  EXPECT_EQ(phases[0].op->word, Word::all_reduce);
  EXPECT_EQ(phases[0].op->count, 2 * (20 + 15u));
  EXPECT_EQ(phases[1].op->word, Word::all_gather);
  EXPECT_EQ(phases[1].op->bytes, std::vector<Bytes>(3, 8 * 15));
  EXPECT_EQ(phases[1].op->value_bytes, 3 * 4 * 15u);
}

// The low-rank part is a projection: with the whole rest sent, nothing is missing; with a full rank, there is
// none.
TEST(Lsg, SplitsAGradientIntoPartsThatAddUp) {
  for (const char* json : {R"({"name": "lsg", "rank": 2, "density": 1, "clip": 1e6, "noise": false})",
                           R"({"name": "lsg", "rank": 7, "density": 0.001, "clip": 1e6, "noise": false})"}) {
    auto gradients = random_gradients(1, 84);
    auto average = UnitRun(json, 1, one_tensor({12, 7})).step(gradients).average;
    for (std::size_t i = 0; i < 84; ++i) EXPECT_NEAR(average[i], gradients[0][i], 1e-5);
  }
}

double norm(const Vector& values) {
  double square = 0;
  for (float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

TEST(Lsg, ClipsTheWholeGradient) {
  auto gradients = random_gradients(1, 84);
  UnitRun run(R"({"name": "lsg", "rank": 2, "density": 1, "clip": 0.5, "noise": false})", 1,
              one_tensor({12, 7}));
  auto average = run.step(gradients).average;
  for (std::size_t i = 0; i < 84; ++i)
    EXPECT_NEAR(average[i], 0.5 * gradients[0][i] / norm(gradients[0]), 1e-6);
}

// A vector of zeros shows the noise alone: its deviation is noise · clip.
TEST(Lsg, AddsTheNoiseThatItsBudgetAsksFor) {
  constexpr std::size_t kElements = 40000;
  UnitRun run(R"({"name": "lsg", "rank": 1, "clip": 0.5, "epsilon": 2, "delta": 1e-6, "releases": 100})", 1,
              one_tensor({kElements}));
  auto average = run.step(Vectors(1, Vector(kElements))).average;
  const double deviation = 0.5 * noise_for(2, 1e-6, 100);
  // A sample deviation is off by 1/√(2n); five of those.
  EXPECT_NEAR(norm(average) / std::sqrt(kElements), deviation, deviation * 5 / std::sqrt(2.0 * kElements));
}

// The mechanism's promise rests on it: factors and rest together are no longer than the gradient.
TEST(Lsg, ReleasesNoMoreThanTheClippedNorm) {
  for (std::uint64_t step = 0; step < 5; ++step) {
    auto gradients = random_gradients(1, 300, step);
    UnitRun all(R"({"name": "lsg", "rank": 3, "density": 1, "clip": 1, "noise": false})", 1,
                one_tensor({20, 15}));
    EXPECT_LE(norm(all.step(gradients).average), 1 + 1e-5);
    UnitRun none(R"({"name": "lsg", "rank": 3, "density": 0.001, "clip": 1, "noise": false})", 1,
                 one_tensor({20, 15}));
    EXPECT_LT(norm(none.step(gradients).average), 1);
  }
}

TEST(Privacy, OfOneGaussianReleaseIsTheTextbookDivergence) {
  EXPECT_DOUBLE_EQ(renyi_divergence({.noise = 2}, 3), 3.0 / 8);
  EXPECT_DOUBLE_EQ(renyi_divergence({.noise = 2, .releases = 10}, 3), 30.0 / 8);
}

// noise 4, 32 releases: ρ = 1; with δ = e⁻⁹, ε = 1 + 2·3 = 7, at order 1 + 3.
TEST(Privacy, IsLeastAtTheBestOrder) {
  const GaussianReleases mechanism{4, 32};
  const double delta = std::exp(-9.0);
  EXPECT_NEAR(epsilon(mechanism, delta), 7, 1e-12);
  double least = 1e9;
  for (double order = 1.01; order < 50; order += 0.01)
    least = std::min(least, renyi_divergence(mechanism, order) + 9 / (order - 1));
  EXPECT_NEAR(least, 7, 1e-4);
  EXPECT_LE(epsilon(mechanism, delta), least + 1e-12);
}

TEST(Privacy, GrowsWithReleasesAndFallsWithNoise) {
  EXPECT_GT(epsilon({1, 200}, 1e-5), epsilon({1, 100}, 1e-5));
  EXPECT_LT(epsilon({2, 100}, 1e-5), epsilon({1, 100}, 1e-5));
  EXPECT_LT(epsilon({1, 100}, 1e-4), epsilon({1, 100}, 1e-5));
  EXPECT_EQ(epsilon({1, 0}, 1e-5), 0);
}

TEST(Privacy, FindsTheNoiseOfABudget) {
  for (double budget : {1e-3, 0.5, 8.0, 1e3})
    for (std::uint64_t releases : {1ULL, 1000ULL})
      EXPECT_NEAR(epsilon({noise_for(budget, 1e-5, releases), releases}, 1e-5), budget, 1e-9 * budget);
}

}  // namespace
}  // namespace traincast
