#include "compressors/low_rank/low_rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace traincast {
namespace {

std::vector<float> drawn(std::size_t n, std::uint32_t tensor) {
  RandomStream random({.seed = 11, .tensor = tensor});
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

TEST(LowRank, ProductsAgreeWithTheirDefinition) {
  for (auto [n, m] :
       {std::pair{1u, 1u}, {3u, 5u}, {8u, 16u}, {13u, 31u}, {5u, 4099u}, {64u, 27u}, {7u, 2048u}})
    for (std::size_t rank : {1u, 2u, 3u, 4u, 5u, 7u, 9u}) {
      auto matrix = drawn(n * m, 0), q = drawn(m * rank, 1), p0 = drawn(n * rank, 2);
      MatrixView view{matrix.data(), n, m};
      std::vector<float> p(n * rank), back(m * rank), whole(n * m);
      project(view, q, p, rank);
      project_back(view, p0, back, rank);
      expand(p0, q, rank, n, m, whole);
      // Rounding of a sum of up to 4099 products of N(0, 1) numbers.
      for (std::size_t c = 0; c < rank; ++c) {
        for (std::size_t i = 0; i < n; ++i) {
          double sum = 0;
          for (std::size_t j = 0; j < m; ++j) sum += double(matrix[i * m + j]) * double(q[c * m + j]);
          ASSERT_NEAR(p[c * n + i], sum, 1e-3) << n << "x" << m << " rank " << rank;
        }
        for (std::size_t j = 0; j < m; ++j) {
          double sum = 0;
          for (std::size_t i = 0; i < n; ++i) sum += double(matrix[i * m + j]) * double(p0[c * n + i]);
          ASSERT_NEAR(back[c * m + j], sum, 1e-4) << n << "x" << m << " rank " << rank;
        }
      }
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) {
          double sum = 0;
          for (std::size_t c = 0; c < rank; ++c) sum += double(p0[c * n + i]) * double(q[c * m + j]);
          ASSERT_NEAR(whole[i * m + j], sum, 1e-4);
        }
    }
}

// A matrix beyond the caches is walked in another order, with the same sums: those of its halves.
TEST(LowRank, WalksLargeMatricesAsItDoesSmallOnes) {
  constexpr std::size_t kRows = 1031, kColumns = 4100, kHalf = 515, kRank = 3;
  std::vector<float> matrix(kRows * kColumns);
  for (std::size_t i = 0; i < matrix.size(); ++i)
    matrix[i] = static_cast<float>(static_cast<int>(i * 2654435761u % 1021) - 510) / 64;
  const std::vector<float> q = drawn(kColumns * kRank, 1), p = drawn(kRows * kRank, 2);
  std::vector<float> whole(kRows * kRank);
  project({matrix.data(), kRows, kColumns}, q, whole, kRank);
  for (auto [first, rows] : {std::pair{std::size_t{0}, kHalf}, {kHalf, kRows - kHalf}}) {
    std::vector<float> part(rows * kRank);
    project({matrix.data() + first * kColumns, rows, kColumns}, q, part, kRank);
    for (std::size_t c = 0; c < kRank; ++c)
      for (std::size_t i = 0; i < rows; ++i) ASSERT_EQ(part[c * rows + i], whole[c * kRows + first + i]);
  }
  std::vector<float> back(kColumns * kRank), of_half(2050 * kRank), half(kRows * 2050);
  project_back({matrix.data(), kRows, kColumns}, p, back, kRank);
  for (std::size_t first : {std::size_t{0}, std::size_t{2050}}) {
    for (std::size_t i = 0; i < kRows; ++i)
      std::copy_n(matrix.data() + i * kColumns + first, 2050, half.data() + i * 2050);
    project_back({half.data(), kRows, 2050}, p, of_half, kRank);
    for (std::size_t c = 0; c < kRank; ++c)
      for (std::size_t j = 0; j < 2050; ++j) ASSERT_EQ(of_half[c * 2050 + j], back[c * kColumns + first + j]);
  }
}

TEST(LowRank, OrthogonalisesColumnByColumn) {
  // (3, 4) becomes (0.6, 0.8); (1, 0) − 0.6·(0.6, 0.8) = (0.64, −0.48), of norm 0.8.
  std::vector<float> p = {3, 4, 1, 0};
  orthogonalise(p, 2, 2);
  EXPECT_NEAR(p[0], 0.6, 1e-6);
  EXPECT_NEAR(p[1], 0.8, 1e-6);
  EXPECT_NEAR(p[2], 0.8, 1e-6);
  EXPECT_NEAR(p[3], -0.6, 1e-6);

  auto many = drawn(100 * 6, 3);
  orthogonalise(many, 100, 6);
  for (std::size_t a = 0; a < 6; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double product = 0;
      for (std::size_t i = 0; i < 100; ++i) product += double(many[a * 100 + i]) * double(many[b * 100 + i]);
      EXPECT_NEAR(product, a == b ? 1 : 0, 1e-5);
    }
}

TEST(LowRank, LeavesZerosAsTheyAre) {
  std::vector<float> p(6, 0.0f);
  orthogonalise(p, 3, 2);
  EXPECT_EQ(p, std::vector<float>(6, 0.0f));
}

TEST(LowRank, TakesEmptyMatrices) {
  std::vector<float> none;
  MatrixView empty{nullptr, 0, 0};
  project(empty, none, none, 0);
  project_back(empty, none, none, 0);
  orthogonalise(none, 0, 0);
  expand(none, none, 0, 0, 0, none);
  // Three rows of nothing: the product has three rows too, and what stood there is overwritten with zeros.
  std::vector<float> rows{1, 2, 3};
  project(MatrixView{nullptr, 3, 0}, none, rows, 1);
  EXPECT_EQ(rows, (std::vector<float>{0, 0, 0}));
}

}  // namespace
}  // namespace traincast
