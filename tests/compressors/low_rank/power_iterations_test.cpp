// Structured power iterations on products whose spectrum is known.
#include "compressors/low_rank/power_iterations.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

namespace traincast {
namespace {

constexpr StreamKey kStarts{.seed = 3, .purpose = Purpose::compressor, .step = 2, .learner = 1, .tensor = 4};

/// By rows.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values = std::vector<double>(rows * columns);
  double& operator()(std::size_t r, std::size_t c) { return values[r * columns + c]; }
  double operator()(std::size_t r, std::size_t c) const { return values[r * columns + c]; }
  double norm() const {
    return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  }
};

Matrix product_of_transposed(const Matrix& a, const Matrix& b) {
  Matrix all{a.columns, b.columns};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t r = 0; r < a.columns; ++r)
      for (std::size_t c = 0; c < b.columns; ++c) all(r, c) += a(i, r) * b(i, c);
  return all;
}

// Gram–Schmidt, twice, on random columns.
Matrix orthonormal(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  RandomStream random({.seed = seed});
  Matrix m{rows, columns};
  for (double& value : m.values) value = random.normal();
  for (int again = 0; again < 2; ++again)
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t before = 0; before <= c; ++before) {
        double dot = 0;
        for (std::size_t r = 0; r < rows; ++r) dot += m(r, before) * m(r, c);
        for (std::size_t r = 0; r < rows; ++r)
          m(r, c) = before < c ? m(r, c) - dot * m(r, before) : m(r, c) / std::sqrt(dot);
      }
    }
  return m;
}

/// LᵀR = U diag(σ) Vᵀ, with `common` rows, of which there are more than singular values.
struct Product {
  std::vector<float> left, right;
  Matrix u, v, whole;
  std::size_t common;

  Product(std::size_t n, std::size_t rows, std::size_t columns, const std::vector<double>& sigma)
      : u(orthonormal(rows, sigma.size(), 1)), v(orthonormal(columns, sigma.size(), 2)), common(n) {
    const Matrix inner = orthonormal(common, sigma.size(), 5);
    Matrix l{common, rows}, m{common, columns};
    for (std::size_t i = 0; i < common; ++i)
      for (std::size_t k = 0; k < sigma.size(); ++k) {
        for (std::size_t r = 0; r < rows; ++r) l(i, r) += inner(i, k) * sigma[k] * u(r, k);
        for (std::size_t c = 0; c < columns; ++c) m(i, c) += inner(i, k) * v(c, k);
      }
    whole = product_of_transposed(l, m);
    left.assign(l.values.begin(), l.values.end());
    right.assign(m.values.begin(), m.values.end());
  }
  Components components(const PowerIterations& settings) const {
    return leading_components(left, right, common, settings, kStarts);
  }
};

double norm(std::span<const float> values) {
  double square = 0;
  for (float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

double part_of(const Matrix& basis, std::size_t column, std::span<const float> vector) {
  double dot = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) dot += basis(i, column) * static_cast<double>(vector[i]);
  return std::abs(dot) / norm(vector);
}

double error(const Product& product, const Components& found) {
  Matrix left = product.whole;
  for (std::size_t j = 0; j < found.count; ++j)
    for (std::size_t r = 0; r < left.rows; ++r)
      for (std::size_t c = 0; c < left.columns; ++c)
        left(r, c) -= static_cast<double>(found.left[j * left.rows + r]) *
                      static_cast<double>(found.right[j * left.columns + c]);
  return left.norm() / product.whole.norm();
}

// Wide (the inner side is iterated on) and tall.
const std::vector<std::array<std::size_t, 3>> kProducts{{12, 20, 40}, {60, 20, 14}};

TEST(PowerIterations, FindTheLeadingSingularVectors) {
  const std::vector<double> sigma{8, 4, 2, 1, 0.5};
  for (auto [common, rows, columns] : kProducts)
    for (bool as_authors : {false, true}) {
      Product product(common, rows, columns, sigma);
      // Each iteration shrinks what does not belong by (σ₂/σ₁)² = 1/4.
      Components found = product.components({.rank = 4, .iterations = 40, .as_authors = as_authors});
      ASSERT_EQ(found.count, as_authors ? 3u : 4u) << "the authors' code drops the last";
      for (std::size_t j = 0; j < found.count; ++j) {
        auto left = std::span(found.left).subspan(j * rows, rows);
        auto right = std::span(found.right).subspan(j * columns, columns);
        EXPECT_NEAR(norm(left), sigma[j], 1e-5 * sigma[j]);
        EXPECT_NEAR(part_of(product.u, j, left), 1, 1e-6);
        EXPECT_NEAR(part_of(product.v, j, right), 1, 1e-6);
      }
    }
}

TEST(PowerIterations, StopWhereTheSpectrumIsExhausted) {
  for (auto [common, rows, columns] : kProducts) {
    Product product(common, rows, columns, {3, 1});
    for (std::uint64_t iterations : {1u, 5u}) {
      Components found = product.components({.rank = 6, .iterations = iterations});
      EXPECT_EQ(found.count, 2u) << "the rank of the product";
      EXPECT_LT(error(product, found), 1e-6) << "both span it, however near to singular vectors they are";
    }
  }
}

TEST(PowerIterations, ComeNearerWithEachComponent) {
  Product product(12, 20, 40, {8, 6, 5, 4, 3, 2, 1});
  double before = 1;
  for (std::uint64_t rank : {1u, 2u, 4u, 6u, 7u}) {
    double now = error(product, product.components({.rank = rank, .iterations = 1}));
    EXPECT_LT(now, before) << rank;
    before = now;
  }
  EXPECT_LT(before, 1e-6);
}

// Three columns of twelve are not zero, as those of units that are not dead: what is orthogonal to their span
// is nothing but rounding.
TEST(PowerIterations, FindNothingWhereTheProductIsZero) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    RandomStream random({.seed = seed});
    constexpr std::size_t kCommon = 4, kRows = 12, kColumns = 9, kLive = 3;
    std::vector<float> left(kCommon * kRows, 0.0f), right(kCommon * kColumns);
    for (std::size_t i = 0; i < kCommon; ++i)
      for (std::size_t live = 0; live < kLive; ++live)
        left[i * kRows + 4 * live] = static_cast<float>(random.normal());
    for (float& value : right) value = static_cast<float>(random.normal());
    EXPECT_EQ(leading_components(left, right, kCommon, {.rank = 9, .iterations = 5}, kStarts).count, kLive);
  }
}

TEST(PowerIterations, OfNothingAreNone) {
  std::vector<float> zeros(12 * 5, 0.0f), some(12 * 7, 1.0f);
  for (bool as_authors : {false, true})
    EXPECT_EQ(leading_components(zeros, some, 12, {.as_authors = as_authors}, kStarts).count, 0u);
  EXPECT_EQ(leading_components({}, {}, 0, {}, kStarts).count, 0u);
}

TEST(PowerIterations, DependOnTheirKeyAlone) {
  Product product(12, 20, 40, {8, 6, 5, 4});
  const PowerIterations few{.rank = 2, .iterations = 1};
  EXPECT_EQ(product.components(few).left, product.components(few).left);
  StreamKey other = kStarts;
  other.learner = 2;
  EXPECT_NE(product.components(few).left,
            leading_components(product.left, product.right, product.common, few, other).left);
}

}  // namespace
}  // namespace traincast
