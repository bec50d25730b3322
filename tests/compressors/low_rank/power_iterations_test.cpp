// Structured power iterations on products whose spectrum is known.
#include "compressors/low_rank/power_iterations.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

namespace traincast {
namespace {

constexpr StreamKey kStarts{.seed = 3, .purpose = Purpose::compressor, .step = 2, .learner = 1, .tensor = 4};

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix orthonormal(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  RandomStream random({.seed = seed});
  Matrix m(rows, columns);
  for (double& value : m.reshaped()) value = random.normal();
  return Eigen::HouseholderQR<Matrix>(m).householderQ() * Matrix::Identity(rows, columns);
}

/// LᵀR = U diag(σ) Vᵀ, with `common` rows, of which there are more than singular values.
struct Product {
  std::vector<float> left, right;
  Matrix u, v, whole;
  std::size_t common;

  Product(std::size_t common, Eigen::Index rows, Eigen::Index columns, const std::vector<double>& sigma)
      : common(common) {
    const auto r = static_cast<Eigen::Index>(sigma.size()), n = static_cast<Eigen::Index>(common);
    u = orthonormal(rows, r, 1), v = orthonormal(columns, r, 2);
    const Matrix inner = orthonormal(n, r, 5);
    Matrix l = inner * Eigen::Map<const Eigen::VectorXd>(sigma.data(), r).asDiagonal() * u.transpose();
    Matrix m = inner * v.transpose();
    whole = l.transpose() * m;
    for (double value : l.reshaped<Eigen::RowMajor>()) left.push_back(static_cast<float>(value));
    for (double value : m.reshaped<Eigen::RowMajor>()) right.push_back(static_cast<float>(value));
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

double part_of(const Matrix& basis, Eigen::Index column, std::span<const float> vector) {
  double dot = 0;
  for (std::size_t i = 0; i < vector.size(); ++i)
    dot += basis(static_cast<Eigen::Index>(i), column) * static_cast<double>(vector[i]);
  return std::abs(dot) / norm(vector);
}

double error(const Product& product, const Components& found) {
  Matrix left = product.whole;
  const auto rows = product.whole.rows(), columns = product.whole.cols();
  for (std::size_t j = 0; j < found.count; ++j)
    for (Eigen::Index r = 0; r < rows; ++r)
      for (Eigen::Index c = 0; c < columns; ++c)
        left(r, c) -= static_cast<double>(
                          found.left[j * static_cast<std::size_t>(rows + 0) + static_cast<std::size_t>(r)]) *
                      static_cast<double>(
                          found.right[j * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)]);
  return left.norm() / product.whole.norm();
}

// Wide (the inner side is iterated on) and tall.
const std::vector<std::array<Eigen::Index, 3>> kShapes{{12, 20, 40}, {60, 20, 14}};

TEST(PowerIterations, FindTheLeadingSingularVectors) {
  const std::vector<double> sigma{8, 4, 2, 1, 0.5};
  for (auto [common, rows, columns] : kShapes)
    for (bool as_authors : {false, true}) {
      Product product(static_cast<std::size_t>(common), rows, columns, sigma);
      // Each iteration shrinks what does not belong by (σ₂/σ₁)² = 1/4.
      Components found = product.components({.rank = 4, .iterations = 40, .as_authors = as_authors});
      ASSERT_EQ(found.count, as_authors ? 3u : 4u) << "the authors' code drops the last";
      for (std::size_t j = 0; j < found.count; ++j) {
        auto left =
            std::span(found.left).subspan(j * static_cast<std::size_t>(rows), static_cast<std::size_t>(rows));
        auto right = std::span(found.right)
                         .subspan(j * static_cast<std::size_t>(columns), static_cast<std::size_t>(columns));
        EXPECT_NEAR(norm(left), sigma[j], 1e-5 * sigma[j]);
        EXPECT_NEAR(part_of(product.u, static_cast<Eigen::Index>(j), left), 1, 1e-6);
        EXPECT_NEAR(part_of(product.v, static_cast<Eigen::Index>(j), right), 1, 1e-6);
      }
    }
}

TEST(PowerIterations, StopWhereTheSpectrumIsExhausted) {
  for (auto [common, rows, columns] : kShapes) {
    Product product(static_cast<std::size_t>(common), rows, columns, {3, 1});
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
