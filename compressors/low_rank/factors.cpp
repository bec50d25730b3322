#include "compressors/low_rank/factors.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>

#include "base/error.hpp"
#include "base/random.hpp"

namespace traincast {

namespace {

/// Equal shapes share a launch as if their rows stood one below another.
std::map<std::tuple<std::size_t, std::size_t, std::size_t>, std::uint32_t> by_shape(
    const std::vector<FactoredMatrix>& matrices) {
  std::map<std::tuple<std::size_t, std::size_t, std::size_t>, std::uint32_t> counts;
  for (const FactoredMatrix& m : matrices) ++counts[{m.rows, m.columns, m.rank}];
  return counts;
}

}  // namespace

void Factors::add(FactoredMatrix matrix) {
  matrix.p = p_size_;
  matrix.q = q_size_;
  p_size_ += matrix.rows * matrix.rank;
  q_size_ += matrix.columns * matrix.rank;
  padded_ = std::max(padded_, matrix.offset + matrix.rows * matrix.columns);
  matrices_.push_back(matrix);
}

Factors Factors::of(const Bucket& unit, std::uint64_t rank, double least_rate) {
  Factors factors;
  std::size_t offset = 0;
  for (const TensorInfo& tensor : unit.tensors) {
    const std::size_t numel = tensor.numel();
    const std::size_t rows = tensor.shape.empty() ? 1 : static_cast<std::size_t>(tensor.shape[0]);
    const std::size_t columns = rows == 0 ? 0 : numel / rows;
    const auto chosen = static_cast<std::size_t>(std::min<std::uint64_t>({rows, columns, rank}));
    const double in_factors = static_cast<double>((rows + columns) * chosen);
    bool compress = tensor.shape.size() > 1;
    if (least_rate > 0) compress = in_factors * least_rate < static_cast<double>(numel);
    if (compress) {
      factors.add({tensor.id, offset, rows, columns, chosen, 0, 0});
    } else {
      factors.outside_.push_back({offset, numel});
      factors.rest_ += numel;
    }
    offset += numel;
  }
  factors.padded_ = offset;
  return factors;
}

Factors Factors::square(const Bucket& unit, std::uint64_t rank) {
  const std::uint64_t numel = unit.numel();
  auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(numel)));
  while (side * side < numel) ++side;
  while (side > 0 && (side - 1) * (side - 1) >= numel) --side;
  Factors factors;
  factors.add({unit.tensors.empty() ? 0 : unit.tensors[0].id, 0, side, side,
               static_cast<std::size_t>(std::min<std::uint64_t>(side, rank)), 0, 0});
  return factors;
}

void Factors::take_rest(std::span<const float> unit, std::span<float> rest) const {
  auto out = rest.begin();
  for (auto [begin, size] : outside_) {
    auto values = unit.subspan(begin, size);
    out = std::copy(values.begin(), values.end(), out);
  }
}

void Factors::put_rest(std::span<const float> rest, std::span<float> unit) const {
  std::size_t at = 0;
  for (auto [begin, size] : outside_) {
    auto values = rest.subspan(at, size);
    std::copy(values.begin(), values.end(), unit.begin() + static_cast<std::ptrdiff_t>(begin));
    at += size;
  }
}

void Factors::project(Side side, std::span<const float> unit, std::span<const float> in,
                      std::span<float> out) const {
  for (const FactoredMatrix& m : matrices_) {
    MatrixView view{unit.data() + m.offset, m.rows, m.columns};
    auto from = in.subspan(m.factor(other(side)), m.extent(other(side)) * m.rank);
    auto to = out.subspan(m.factor(side), m.extent(side) * m.rank);
    if (side == Side::p)
      traincast::project(view, from, to, m.rank);
    else
      project_back(view, from, to, m.rank);
  }
}

void Factors::expand(std::span<const float> p, std::span<const float> q, std::span<float> unit) const {
  for (const FactoredMatrix& m : matrices_)
    traincast::expand(p.subspan(m.p, m.rows * m.rank), q.subspan(m.q, m.columns * m.rank), m.rank, m.rows,
                      m.columns, unit.subspan(m.offset, m.rows * m.columns));
}

void Factors::orthogonalise(Side side, std::span<float> factors, const Orthogonalise& method) const {
  for (const FactoredMatrix& m : matrices_)
    method(factors.subspan(m.factor(side), m.extent(side) * m.rank), m.extent(side), m.rank);
}

void Factors::draw(Side side, std::uint64_t seed, std::uint64_t step, std::span<float> factors) const {
  for (const FactoredMatrix& m : matrices_) {
    RandomStream random(
        {.seed = seed, .purpose = Purpose::shared, .step = step, .learner = 0, .tensor = m.tensor});
    for (float& value : factors.subspan(m.factor(side), m.extent(side) * m.rank))
      value = static_cast<float>(random.normal());
  }
}

std::vector<Work> Factors::product_work(Launches launches) const {
  std::vector<Work> work;
  for (auto [shape, count] : by_shape(matrices_)) {
    auto [rows, columns, rank] = shape;
    if (launches == Launches::per_shape)
      work.push_back({Primitive::gemm, {count * rows, columns, rank}});
    else
      work.push_back({Primitive::gemm, {rows, columns, rank}, count});
  }
  return work;
}

std::vector<Work> Factors::orthogonalise_work(Side side, Launches launches,
                                              Primitive (*primitive)(std::size_t rank)) const {
  std::vector<Work> work;
  for (auto [shape, count] : by_shape(matrices_)) {
    auto [rows, columns, rank] = shape;
    const std::uint64_t extent = side == Side::p ? rows : columns;
    if (launches == Launches::per_shape)
      work.push_back({primitive(rank), {count * extent, rank, 0}});
    else
      work.push_back({primitive(rank), {extent, rank, 0}, count});
  }
  return work;
}

void expect_factor(std::span<const float> saved, std::size_t size, const Bucket& unit) {
  if (saved.size() == size) return;
  throw InputError("saved low-rank factor of '" + (unit.tensors.empty() ? "" : unit.tensors[0].name) +
                   "' has " + std::to_string(saved.size()) + " values, not " + std::to_string(size));
}

}  // namespace traincast
