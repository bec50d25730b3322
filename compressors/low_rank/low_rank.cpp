#include "compressors/low_rank/low_rank.hpp"

#include <cmath>
#include <memory>

#include "compressors/kernels/low_rank_kernels.hpp"

namespace traincast {

namespace {

std::unique_ptr<float[]> scratch_for(std::size_t columns, std::size_t rank) {
  return std::make_unique_for_overwrite<float[]>(columns * rank + LowRankKernels::kPadding);
}

}  // namespace

void project(MatrixView matrix, std::span<const float> q, std::span<float> p, std::size_t rank) {
  low_rank_kernels().project(matrix.data, matrix.rows, matrix.columns, q.data(), rank, p.data(),
                             scratch_for(matrix.columns, rank).get());
}

void project_back(MatrixView matrix, std::span<const float> p, std::span<float> q, std::size_t rank) {
  low_rank_kernels().project_back(matrix.data, matrix.rows, matrix.columns, p.data(), rank, q.data());
}

void expand(std::span<const float> p, std::span<const float> q, std::size_t rank, std::size_t rows,
            std::size_t columns, std::span<float> matrix) {
  low_rank_kernels().expand(p.data(), q.data(), rank, rows, columns, matrix.data(),
                            scratch_for(columns, rank).get());
}

void orthogonalise(std::span<float> p, std::size_t rows, std::size_t rank, float epsilon) {
  const LowRankKernels& kernels = low_rank_kernels();
  for (std::size_t c = 0; c < rank; ++c) {
    float* column = p.data() + c * rows;
    auto norm =
        static_cast<float>(std::sqrt(kernels.dot(column, column, rows)) + static_cast<double>(epsilon));
    if (norm == 0) continue;
    for (std::size_t i = 0; i < rows; ++i) column[i] /= norm;
    kernels.deflate(column, rows, rank - c - 1);
  }
}

}  // namespace traincast
