#include "compressors/kernels/low_rank_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

struct MatrixShape {
  std::size_t rows, columns, rank;
};
const MatrixShape kMatrices[] = {{0, 0, 0},    {1, 1, 1},    {3, 0, 1},    {2, 7, 2},
                                 {5, 8, 3},    {4, 9, 4},    {7, 1023, 5}, {9, 1024, 7},
                                 {3, 1025, 6}, {6, 2500, 4}, {70, 40, 33}, {37, 129, 64}};

std::vector<const LowRankKernels*> low_rank_forms() {
  std::vector<const LowRankKernels*> all = {portable_low_rank_kernels()};
  if (avx2_low_rank_kernels()) all.push_back(avx2_low_rank_kernels());
  return all;
}

Vector values_of(std::size_t size, std::uint32_t tensor) { return random_gradients(1, size, 0, tensor)[0]; }

// The orders of summation that the header writes down, in plain loops.

float tile_product(const float* row, const float* q, std::size_t width) {
  float lanes[8] = {};
  std::size_t whole = width / 8 * 8;
  for (std::size_t j = 0; j < whole; ++j) lanes[j % 8] += row[j] * q[j];
  for (std::size_t half : {4u, 2u, 1u})
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  for (std::size_t j = whole; j < width; ++j) lanes[0] += row[j] * q[j];
  return lanes[0];
}

Vector plain_p(const Vector& matrix, const Vector& q, MatrixShape s) {
  Vector p(s.rows * s.rank);
  for (std::size_t i = 0; i < s.rows; ++i)
    for (std::size_t c = 0; c < s.rank; ++c)
      for (std::size_t j = 0; j < s.columns; j += 1024) {
        float sum = tile_product(&matrix[i * s.columns + j], &q[c * s.columns + j],
                                 std::min<std::size_t>(1024, s.columns - j));
        p[c * s.rows + i] = j == 0 ? sum : p[c * s.rows + i] + sum;
      }
  return p;
}

Vector plain_q(const Vector& matrix, const Vector& p, MatrixShape s) {
  Vector q(s.columns * s.rank);
  for (std::size_t j = 0; j < s.columns; ++j)
    for (std::size_t c = 0; c < s.rank; ++c) {
      float& sum = q[c * s.columns + j];
      auto term = [&](std::size_t i) { return p[c * s.rows + i] * matrix[i * s.columns + j]; };
      std::size_t i = 0;
      for (; i + 4 <= s.rows; i += 4) sum += ((term(i) + term(i + 1)) + term(i + 2)) + term(i + 3);
      for (; i < s.rows; ++i) sum += term(i);
    }
  return q;
}

Vector plain_product(const Vector& p, const Vector& q, MatrixShape s) {
  Vector matrix(s.rows * s.columns);
  for (std::size_t i = 0; i < s.rows; ++i)
    for (std::size_t j = 0; j < s.columns; ++j) {
      float& out = matrix[i * s.columns + j];
      auto term = [&](std::size_t c) { return p[c * s.rows + i] * q[c * s.columns + j]; };
      std::size_t c = 0;
      for (std::size_t some : {4u, 2u, 1u})
        for (; c + some <= s.rank; c += some) {
          float sum = term(c);
          for (std::size_t k = 1; k < some; ++k) sum += term(c + k);
          out = c == 0 ? sum : out + sum;
        }
    }
  return matrix;
}

TEST(LowRankKernels, SumInTheirOrderToTheBit) {
  for (MatrixShape s : kMatrices) {
    Vector matrix = values_of(s.rows * s.columns, 0), p = values_of(s.rows * s.rank, 1),
           q = values_of(s.columns * s.rank, 2);
    for (const LowRankKernels* kernels : low_rank_forms()) {
      Vector scratch(s.columns * s.rank + LowRankKernels::kPadding, 9.0f);
      Vector seen_p(p.size(), 9.0f), seen_q(q.size(), 9.0f), seen(matrix.size(), 9.0f);
      kernels->project(matrix.data(), s.rows, s.columns, q.data(), s.rank, seen_p.data(), scratch.data());
      kernels->project_back(matrix.data(), s.rows, s.columns, p.data(), s.rank, seen_q.data());
      kernels->expand(p.data(), q.data(), s.rank, s.rows, s.columns, seen.data(), scratch.data());
      EXPECT_EQ(seen_p, plain_p(matrix, q, s)) << s.rows << " x " << s.columns << " rank " << s.rank;
      EXPECT_EQ(seen_q, plain_q(matrix, p, s)) << s.rows << " x " << s.columns << " rank " << s.rank;
      EXPECT_EQ(seen, plain_product(p, q, s)) << s.rows << " x " << s.columns << " rank " << s.rank;
    }
  }
}

TEST(LowRankKernels, DeflateInTheirOrderToTheBit) {
  for (std::size_t rows : {0u, 1u, 7u, 8u, 9u, 63u, 1000u})
    for (std::size_t count : {0u, 1u, 2u, 3u, 5u}) {
      const Vector columns = values_of(rows * (count + 1), 4);
      Vector expected = columns;
      auto dot = [&](std::size_t other) {
        double lanes[8] = {};
        for (std::size_t i = 0; i < rows; ++i)
          lanes[i % 8] += double(columns[i]) * double(columns[other * rows + i]);
        return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
               ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
      };
      for (std::size_t c = 1; c <= count; ++c)
        for (std::size_t i = 0; i < rows; ++i)
          expected[c * rows + i] -= static_cast<float>(dot(c)) * columns[i];
      for (const LowRankKernels* kernels : low_rank_forms()) {
        EXPECT_EQ(kernels->dot(columns.data(), columns.data(), rows), dot(0)) << rows;
        Vector seen = columns;
        kernels->deflate(seen.data(), rows, count);
        EXPECT_EQ(seen, expected) << rows << " rows, " << count << " columns";
      }
    }
}

}  // namespace
}  // namespace traincast
