#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

/// Slices of 4 elements, all multiples of (1, 2, 0, −1), and a tail of 2.
Vectors along_a_line(std::uint32_t learners, float scale) {
  Vectors gradients;
  for (std::uint32_t learner = 0; learner < learners; ++learner) {
    Vector& gradient = gradients.emplace_back();
    for (int slice = 1; slice <= 3; ++slice)
      for (float direction : {1.0f, 2.0f, 0.0f, -1.0f})
        gradient.push_back(scale * static_cast<float>(slice + static_cast<int>(learner)) * direction);
    gradient.insert(gradient.end(), {5.0f + static_cast<float>(learner), -7.0f});
  }
  return gradients;
}

constexpr const char* kOneComponent =
    R"({"name": "gradiveq", "slice": 4, "rank": 1, "training": 2, "compressed": 3})";

// The dense steps send 14 floats and the last of them the basis, 4·1 floats, from learner 0; compressed steps
// send a coefficient for each of three slices and the tail. Then the cycle begins anew.
TEST(GradiVeQ, CountsDenseStepsBasisAndCoefficients) {
  UnitRun run(kOneComponent, 2, one_tensor({14}));
  for (int cycle = 0; cycle < 2; ++cycle)
    for (int step = 0; step < 5; ++step) {
      auto phases = run.step(along_a_line(2, 1)).phases;
      EXPECT_EQ(phases[0].op->count, step < 2 ? 14u : 3u + 2);
      bool broadcasts = phases.size() > 1 && phases[1].op.has_value();
      EXPECT_EQ(broadcasts, step == 1);
      if (broadcasts) {
        EXPECT_EQ(phases[1].op->word, Word::broadcast);
        EXPECT_EQ(phases[1].op->bytes, std::vector<Bytes>{4 * 4 * 1});
        EXPECT_EQ(phases[1].op->value_bytes, 0u);
      }
    }
}

// What lies in the span of the components arrives whole, whatever its size; the rest of a slice is lost.
TEST(GradiVeQ, KeepsWhatLiesInItsBasis) {
  UnitRun run(kOneComponent, 2, one_tensor({14}));
  run.step(along_a_line(2, 1));
  run.step(along_a_line(2, -2));
  auto gradients = along_a_line(2, 3);
  Vector mean(14);
  for (std::size_t i = 0; i < 14; ++i) mean[i] = (gradients[0][i] + gradients[1][i]) / 2;
  EXPECT_THAT(run.step(gradients).average, Pointwise(FloatNear(1e-4f), mean));
  // (0, 0, 6, 0) is orthogonal to the line.
  Vectors apart(2, Vector(14));
  apart[0][2] = 6;
  EXPECT_THAT(run.step(apart).average, Pointwise(FloatNear(1e-4f), Vector(14)));
}

TEST(GradiVeQ, LosesNothingWithAllComponents) {
  UnitRun run(R"({"name": "gradiveq", "slice": 8, "rank": 8})", 3, one_tensor({10, 7}));
  run.step(random_gradients(3, 70));
  auto gradients = random_gradients(3, 70, 1);
  auto result = run.step(gradients);
  for (std::size_t i = 0; i < 70; ++i)
    EXPECT_NEAR(result.average[i], (gradients[0][i] + gradients[1][i] + gradients[2][i]) / 3, 1e-5);
}

// The error of r components of 16 falls with r, and is less than what r of 16 random directions would leave.
TEST(GradiVeQ, FindsThePrincipalComponents) {
  double before = 1;
  for (int rank : {2, 4, 8}) {
    UnitRun run(R"({"name": "gradiveq", "slice": 16, "rank": )" + std::to_string(rank) + "}", 1,
                one_tensor({64, 16}));
    auto gradient = random_gradients(1, 1024);
    for (std::size_t i = 0; i < 1024; ++i) gradient[0][i] *= static_cast<float>(std::pow(0.5, i % 16));
    run.step(gradient);
    auto average = run.step(gradient).average;
    double error = 0, all = 0;
    for (std::size_t i = 0; i < 1024; ++i) {
      error += std::pow(static_cast<double>(average[i] - gradient[0][i]), 2);
      all += std::pow(static_cast<double>(gradient[0][i]), 2);
    }
    EXPECT_LT(error / all, before);
    EXPECT_LT(error / all, 2 * std::pow(0.25, rank));
    before = error / all;
  }
}

TEST(GradiVeQ, LetsEveryLearnerFindTheBasisWhereAsked) {
  UnitRun run(R"({"name": "gradiveq", "slice": 4, "rank": 1, "basis": "everywhere"})", 2, one_tensor({14}));
  auto phases = run.step(along_a_line(2, 1)).phases;
  EXPECT_FALSE(phases[1].op);
  EXPECT_FALSE(phases[1].work[0].only);
}

TEST(GradiVeQ, SendsTensorsShorterThanASliceDense) {
  UnitRun run(kOneComponent, 2, one_tensor({3}));
  for (int step = 0; step < 5; ++step)
    EXPECT_EQ(run.step(Vectors(2, Vector{1, 2, 3})).average, (Vector{1, 2, 3}));
}

TEST(GradiVeQ, RefusesTheStateOfOtherSlices) {
  for (int steps : {1, 2}) {  // its moments; its basis
    UnitRun four(kOneComponent, 2, one_tensor({14}));
    UnitRun five(R"({"name": "gradiveq", "slice": 5, "rank": 1, "training": 2, "compressed": 3})", 2,
                 one_tensor({14}));
    for (int step = 0; step < steps; ++step) four.step(along_a_line(2, 1));
    five.load(four.save());
    EXPECT_THROW(five.step(along_a_line(2, 1)), InputError) << steps;
  }
}

TEST(GradiVeQ, RefusesMoreComponentsThanASliceHas) {
  EXPECT_THROW(make_compressor(R"({"name": "gradiveq", "slice": 8, "rank": 9})"), InputError);
}

}  // namespace
}  // namespace traincast
