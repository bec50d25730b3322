#include "compressors/low_rank/power_iterations.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace traincast {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using Floats = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

// PPᵀ of P = LᵀR, by the side that is shorter: never a matrix of rows × columns where they have little in
// common.
class Squared {
 public:
  Squared(const Matrix& left, const Matrix& right) : left_(left), thin_(right.cols() > right.rows()) {
    if (thin_) {
      half_ = left.transpose() * (right * right.transpose());
    } else {
      const Matrix product = left.transpose() * right;
      half_ = product * product.transpose();
    }
  }
  Vector times(const Vector& b) const { return thin_ ? Vector(half_ * (left_ * b)) : Vector(half_ * b); }

 private:
  const Matrix& left_;
  bool thin_;
  Matrix half_;
};

struct Found {
  Vector b, c;
  double sigma = 0;
};

void take_out(const std::vector<Found>& before, bool as_authors, const Vector& of, Vector& b) {
  if (as_authors) {
    for (const Found& one : before) b -= one.sigma * one.sigma * one.b.dot(of) * one.b;
    return;
  }
  for (int pass = 0; pass < 2; ++pass)  // once leaves what rounding leaves
    for (const Found& one : before) b -= one.b.dot(b) * one.b;
}

}  // namespace

Components leading_components(std::span<const float> left, std::span<const float> right, std::size_t common,
                              const PowerIterations& settings, const StreamKey& starts) {
  Components result;
  if (common == 0) return result;
  const auto n = static_cast<Eigen::Index>(common);
  const Matrix l = Floats(left.data(), n, static_cast<Eigen::Index>(left.size()) / n).cast<double>();
  const Matrix r = Floats(right.data(), n, static_cast<Eigen::Index>(right.size()) / n).cast<double>();
  const Squared squared(l, r);
  RandomStream random(starts);
  std::vector<Found> found;
  const auto most = static_cast<std::size_t>(std::min(l.cols(), r.cols()));
  bool exhausted = false;
  while (!exhausted && found.size() < std::min<std::size_t>(settings.rank, most)) {
    Vector b(l.cols());
    for (double& value : b) value = random.uniform();
    for (std::uint64_t i = 0; i < settings.iterations; ++i) {
      Vector next = squared.times(b);
      const double whole = next.norm();
      take_out(found, settings.as_authors, b, next);
      const double norm = next.norm();
      // What rounding leaves is no component: where the product has zeros there may be nothing orthogonal.
      constexpr double kRounding = 1e-13;
      if (!(norm > (settings.as_authors ? 0.0 : kRounding * whole))) {
        exhausted = true;
        break;
      }
      b = next / norm;
    }
    if (exhausted) break;
    Vector c = r.transpose() * (l * b);
    const double sigma = c.norm();
    if (settings.as_authors)
      exhausted = !(sigma > 0) || (!found.empty() && (b - found.back().b).norm() < settings.tolerance);
    else
      exhausted = !(sigma > 0) || (!found.empty() && sigma <= settings.tolerance * found.front().sigma);
    if (!exhausted) found.push_back({std::move(b), c / sigma, sigma});
  }
  if (settings.as_authors && !exhausted && !found.empty()) found.pop_back();
  result.count = found.size();
  for (const Found& one : found) {
    for (double value : one.b) result.left.push_back(static_cast<float>(one.sigma * value));
    for (double value : one.c) result.right.push_back(static_cast<float>(value));
  }
  return result;
}

std::vector<Work> power_iteration_work(std::uint64_t common, std::uint64_t rows, std::uint64_t columns,
                                       const PowerIterations& settings) {
  std::vector<Work> work;
  const std::uint64_t rank = std::min({settings.rank, rows, columns, common});
  const auto times = static_cast<std::uint32_t>(rank * settings.iterations);
  if (rank == 0 || common == 0) return work;
  if (columns > common) {
    work.push_back({Primitive::gemm, {common, columns, common}});
    work.push_back({Primitive::gemm, {rows, common, common}});
    work.push_back({Primitive::gemm, {common, rows, 1}, times});
    work.push_back({Primitive::gemm, {rows, common, 1}, times});
  } else {
    work.push_back({Primitive::gemm, {rows, common, columns}});
    work.push_back({Primitive::gemm, {rows, columns, rows}});
    work.push_back({Primitive::gemm, {rows, rows, 1}, times});
  }
  // What was found before is taken out, then b normalised.
  for (std::uint64_t before = 1; before < rank; ++before)
    work.push_back({Primitive::gemm, {rows, before, 1}, static_cast<std::uint32_t>(2 * settings.iterations)});
  work.push_back({Primitive::reduction, {rows}, times});
  work.push_back({Primitive::elementwise, {rows}, times});
  // σ and c of each.
  work.push_back({Primitive::gemm, {common, rows, 1}, static_cast<std::uint32_t>(rank)});
  work.push_back({Primitive::gemm, {columns, common, 1}, static_cast<std::uint32_t>(rank)});
  work.push_back({Primitive::reduction, {columns}, static_cast<std::uint32_t>(rank)});
  work.push_back({Primitive::elementwise, {rows + columns}, static_cast<std::uint32_t>(rank)});
  return work;
}

}  // namespace traincast
