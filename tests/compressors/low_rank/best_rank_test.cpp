#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

double distance(const Vector& a, const Vector& b) {
  double square = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    square += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
  return std::sqrt(square);
}

// Eckart and Young: what is left of diag(5, 3, 2) at rank r are the values behind the r-th.
TEST(BestRank, KeepsTheLargestSingularValues) {
  Vector g(3 * 4, 0.0f);
  g[0] = 3;
  g[5] = -5;
  g[10] = 2;
  for (auto [rank, left] : {std::pair{1, std::sqrt(13.0)}, {2, 2.0}, {3, 0.0}}) {
    UnitRun run(R"({"name": "best_rank", "rank": )" + std::to_string(rank) + "}", 1, one_tensor({3, 4}),
                ErrorRule{});
    EXPECT_NEAR(distance(run.step({g}).average, g), left, 1e-5);
  }
}

// Warm power iteration comes to the same subspace, from above: no rank-r matrix is nearer to the mean.
TEST(BestRank, IsWhatPowerSgdConvergesTo) {
  for (const auto& shape : {std::vector<std::int64_t>{20, 12}, {12, 20}}) {
    Vectors g = random_gradients(3, 240);
    Vector mean(240);
    for (std::size_t i = 0; i < 240; ++i) mean[i] = (g[0][i] + g[1][i] + g[2][i]) / 3;
    UnitRun best(R"({"name": "best_rank", "rank": 3})", 3, one_tensor(shape), ErrorRule{});
    UnitRun power(R"({"name": "powersgd", "rank": 3})", 3, one_tensor(shape), ErrorRule{});
    const Vector nearest = best.step(g).average;
    const double least = distance(nearest, mean);
    double last = 1e9;
    for (int step = 0; step < 300; ++step) {
      double now = distance(power.step(g).average, mean);
      ASSERT_GE(now, least - 1e-5);
      ASSERT_LE(now, last + 1e-5) << "power iteration never moves away";
      last = now;
    }
    EXPECT_NEAR(last, least, 1e-3 * least);
  }
}

TEST(BestRank, SendsEverything) {
  UnitRun run(R"({"name": "best_rank", "rank": 1})", 2, one_tensor({6, 7}));
  EXPECT_EQ(summed_elements(run.step(random_gradients(2, 42)).phases), 42u);
}

TEST(BestRank, StatesADecompositionAndTwoProducts) {
  UnitRun run(R"({"name": "best_rank", "rank": 2})", 3, one_tensor({6, 5, 3}), ErrorRule{});
  auto work = run.step(random_gradients(3, 90)).phases.at(1).work;
  ASSERT_EQ(work.size(), 2u);
  EXPECT_EQ(work[0].primitive, Primitive::svd);
  EXPECT_EQ(work[0].sizes, (std::array<std::uint64_t, 3>{6, 15, 0}));
  EXPECT_EQ(work[1].primitive, Primitive::gemm);
  EXPECT_EQ(work[1].count, 2u);
}

}  // namespace
}  // namespace traincast
