#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

std::string with_factors(const char* factors, int rank = 3) {
  return R"({"name": "powersgd", "rank": )" + std::to_string(rank) + R"(, "factors": ")" + factors + "\"}";
}

/// ‖average − mean‖ / ‖mean‖ of one step.
double error_of(const char* factors, std::uint32_t learners, const Vectors& g) {
  UnitRun run(with_factors(factors, 2), learners, one_tensor({24, 18}), ErrorRule{});
  Vector average = run.step(g).average;
  double error = 0, square = 0;
  for (std::size_t i = 0; i < average.size(); ++i) {
    double mean = 0;
    for (const Vector& gradient : g) mean += double(gradient[i]) / learners;
    error += (average[i] - mean) * (average[i] - mean);
    square += mean * mean;
  }
  return std::sqrt(error / square);
}

/// Of rank 2, so that two columns hold it and only their coding loses anything.
Vectors thin_gradients(std::uint32_t learners) {
  Vectors factors = random_gradients(learners, 2 * (24 + 18), 3), g(learners, Vector(24 * 18, 0.0f));
  const Vector& left = factors[0];
  for (std::uint32_t l = 0; l < learners; ++l)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t i = 0; i < 24; ++i)
        for (std::size_t j = 0; j < 18; ++j)
          g[l][i * 18 + j] += left[c * 24 + i] * factors[l][48 + c * 18 + j];
  return g;
}

// bfloat16 has 8 bits, levels are 1/127 of a factor's largest entry: per cents, where floats lose nothing.
TEST(FactorSum, LosesWhatItsCodingRounds) {
  auto g = thin_gradients(4);
  EXPECT_LT(error_of("fp32", 4, g), 1e-5);
  for (auto [factors, most] : {std::pair{"bf16", 0.05}, {"int8", 0.15}}) {
    EXPECT_GT(error_of(factors, 4, g), 1e-4) << factors;
    EXPECT_LT(error_of(factors, 4, g), most) << factors;
  }
}

TEST(FactorSum, TravelsInItsElement) {
  auto ops = [](const char* factors, std::uint32_t learners) {
    UnitRun run(with_factors(factors), learners, one_tensor({24, 18}));
    std::vector<Op> all;
    for (const Phase& phase : run.step(random_gradients(learners, 24 * 18)).phases)
      if (phase.op) all.push_back(*phase.op);
    return all;
  };
  auto halves = ops("bf16", 2);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(halves[0].contributed(2), 2u * 2 * 3 * 24);
  EXPECT_EQ(halves[1].contributed(2), 2u * 2 * 3 * 18);
  // Of each factor a magnitude, then its levels: a byte each while one learner's fit, two for 2 × 127.
  for (auto [learners, element] :
       {std::pair{1u, Element::int8}, {2u, Element::int16}, {258u, Element::int16}, {259u, Element::int32}}) {
    auto levels = ops("int8", learners);
    ASSERT_EQ(levels.size(), 4u);
    EXPECT_EQ(levels[0].count, 1u);
    EXPECT_EQ(levels[0].value_bytes, 0u);
    EXPECT_EQ(levels[1].element, element) << learners;
    EXPECT_EQ(levels[1].count, 3u * 24);
    EXPECT_EQ(levels[3].count, 3u * 18);
  }
}

// What is lost stays in the memories, so that in the mean over steps nothing is.
TEST(FactorSum, IsRepairedByErrorFeedback) {
  for (const char* factors : {"bf16", "int8"}) {
    UnitRun run(with_factors(factors), 4, one_tensor({24, 18}));
    auto g = thin_gradients(4);
    Vector applied(24 * 18, 0.0f);
    constexpr int kSteps = 50;
    for (int step = 0; step < kSteps; ++step) {
      Vector average = run.step(g).average;
      for (std::size_t i = 0; i < applied.size(); ++i) applied[i] += average[i] / kSteps;
    }
    for (std::size_t i = 0; i < applied.size(); ++i)
      EXPECT_NEAR(applied[i], (g[0][i] + g[1][i] + g[2][i] + g[3][i]) / 4, 0.03) << factors;
  }
}

}  // namespace
}  // namespace traincast
