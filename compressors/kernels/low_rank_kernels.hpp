// The loops of low-rank methods, for two instruction sets, as in kernels.hpp: both give the same bits.
#pragma once

#include <cstddef>

namespace traincast {

/// Matrices lie row after row, factors column after column. `scratch` holds columns × rank + kPadding floats.
struct LowRankKernels {
  static constexpr std::size_t kPadding = 16;
  /// P = M Q. Products of one row and one column are summed 1,024 at a time: place j in lane j mod 8, the
  /// lanes pairwise, then what is left of eight; these sums one after another.
  void (*project)(const float* matrix, std::size_t rows, std::size_t columns, const float* q,
                  std::size_t rank, float* p, float* scratch);
  /// Q = Mᵀ P: four rows at a time are summed, then added; what is left of four, row by row.
  void (*project_back)(const float* matrix, std::size_t rows, std::size_t columns, const float* p,
                       std::size_t rank, float* q);
  /// M = P Qᵀ: four ranks at a time are summed, then added; what is left of four, two at a time, then one.
  void (*expand)(const float* p, const float* q, std::size_t rank, std::size_t rows, std::size_t columns,
                 float* matrix, float* scratch);
  /// In double: element i in lane i mod 8, the lanes pairwise.
  double (*dot)(const float* a, const float* b, std::size_t count);
  /// Takes off each of `count` columns that follow `column` its projection on that.
  void (*deflate)(float* column, std::size_t rows, std::size_t count);
};

/// Those for this processor.
const LowRankKernels& low_rank_kernels();

/// Each form by itself; nothing where this processor (or build) cannot run it.
const LowRankKernels* portable_low_rank_kernels();
const LowRankKernels* avx2_low_rank_kernels();

}  // namespace traincast
