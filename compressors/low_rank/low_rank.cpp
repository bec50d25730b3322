#include "compressors/low_rank/low_rank.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <type_traits>

namespace traincast {

namespace {

constexpr std::size_t kLanes = 8;
using Lanes = Eigen::Array<float, kLanes, 1>;

Lanes load(const float* values) { return Eigen::Map<const Lanes>(values); }

float total(const Lanes& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/// Products of one row with `Columns` columns of Q, so that the row is read once for all of them. Lane l sums
/// the products at places l, l + 8, …; the rest is added at the end.
template <std::size_t Columns>
void row_times(const float* row, const float* q, std::size_t m, float* p, std::size_t n) {
  Lanes sums[Columns];
  for (Lanes& sum : sums) sum.setZero();
  std::size_t whole = m / kLanes * kLanes;
  for (std::size_t j = 0; j < whole; j += kLanes) {
    Lanes values = load(row + j);
    for (std::size_t c = 0; c < Columns; ++c) sums[c] += values * load(q + c * m + j);
  }
  for (std::size_t c = 0; c < Columns; ++c) {
    float sum = total(sums[c]);
    for (std::size_t j = whole; j < m; ++j) sum += row[j] * q[c * m + j];
    p[c * n] = sum;
  }
}

constexpr std::size_t kTile =
    1024;  // columns of M at a time: four rows' and a few of Q stay in the first cache

/// Adds `Columns` columns of Q, each by its weight in P, to a row (or starts it with them).
template <std::size_t Columns>
void add_columns(float* __restrict row, const float* p, std::size_t n, const float* q, std::size_t m,
                 std::size_t width, bool start) {
  float weights[Columns];
  for (std::size_t c = 0; c < Columns; ++c) weights[c] = p[c * n];
  auto sum = [&](std::size_t j) {
    float value = weights[0] * q[j];
    for (std::size_t c = 1; c < Columns; ++c) value += weights[c] * q[c * m + j];
    return value;
  };
  if (start)
    for (std::size_t j = 0; j < width; ++j) row[j] = sum(j);
  else
    for (std::size_t j = 0; j < width; ++j) row[j] += sum(j);
}

}  // namespace

void project(MatrixView matrix, std::span<const float> q, std::span<float> p, std::size_t rank) {
  auto [data, n, m] = matrix;
  for (std::size_t i = 0; i < n; ++i) {
    const float* row = data + i * m;
    std::size_t c = 0;
    for (; c + 4 <= rank; c += 4) row_times<4>(row, q.data() + c * m, m, p.data() + c * n + i, n);
    for (; c + 2 <= rank; c += 2) row_times<2>(row, q.data() + c * m, m, p.data() + c * n + i, n);
    for (; c < rank; ++c) row_times<1>(row, q.data() + c * m, m, p.data() + c * n + i, n);
  }
}

// Rows are added four at a time, in order.
void project_back(MatrixView matrix, std::span<const float> p, std::span<float> q, std::size_t rank) {
  auto [data, n, m] = matrix;
  std::fill(q.begin(), q.end(), 0.0f);
  for (std::size_t begin = 0; begin < m; begin += kTile) {
    std::size_t width = std::min(kTile, m - begin);
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
      const float* rows = data + i * m + begin;
      for (std::size_t c = 0; c < rank; ++c) {
        const float* w = p.data() + c * n + i;
        float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        float* __restrict sum = q.data() + c * m + begin;
        for (std::size_t j = 0; j < width; ++j)
          sum[j] += ((w0 * rows[j] + w1 * rows[m + j]) + w2 * rows[2 * m + j]) + w3 * rows[3 * m + j];
      }
    }
    for (; i < n; ++i) {
      const float* row = data + i * m + begin;
      for (std::size_t c = 0; c < rank; ++c) {
        float w = p[c * n + i];
        float* __restrict sum = q.data() + c * m + begin;
        for (std::size_t j = 0; j < width; ++j) sum[j] += w * row[j];
      }
    }
  }
}

void expand(std::span<const float> p, std::span<const float> q, std::size_t rank, std::size_t rows,
            std::size_t columns, std::span<float> matrix) {
  if (rank == 0) std::fill(matrix.begin(), matrix.end(), 0.0f);
  for (std::size_t begin = 0; begin < columns; begin += kTile) {
    std::size_t width = std::min(kTile, columns - begin);
    for (std::size_t i = 0; i < rows; ++i) {
      float* row = matrix.data() + i * columns + begin;
      auto add = [&](auto count, std::size_t c) {
        add_columns<count()>(row, p.data() + c * rows + i, rows, q.data() + c * columns + begin, columns,
                             width, c == 0);
      };
      std::size_t c = 0;
      for (; c + 4 <= rank; c += 4) add(std::integral_constant<std::size_t, 4>{}, c);
      for (; c + 2 <= rank; c += 2) add(std::integral_constant<std::size_t, 2>{}, c);
      for (; c < rank; ++c) add(std::integral_constant<std::size_t, 1>{}, c);
    }
  }
}

void orthogonalise(std::span<float> p, std::size_t rows, std::size_t rank) {
  auto product = [rows](const float* a, const float* b) {
    double sum = 0;
    for (std::size_t i = 0; i < rows; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
  };
  for (std::size_t c = 0; c < rank; ++c) {
    float* column = p.data() + c * rows;
    auto norm = static_cast<float>(std::sqrt(product(column, column)) + 1e-8);
    for (std::size_t i = 0; i < rows; ++i) column[i] /= norm;
    for (std::size_t rest = c + 1; rest < rank; ++rest) {
      float* other = p.data() + rest * rows;
      auto share = static_cast<float>(product(column, other));
      for (std::size_t i = 0; i < rows; ++i) other[i] -= share * column[i];
    }
  }
}

}  // namespace traincast
