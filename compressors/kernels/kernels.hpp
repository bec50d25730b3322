// Loops over whole vectors, compiled for the machine that runs them: each exists for any x86-64-v2 (or other)
// processor and for one with AVX2, chosen at run time. Both have the same lanes, so that both give the same
// bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace traincast {

struct Kernels {
  /// KeyedDraws: the draws of places begin, begin + 1, … of one page.
  void (*draws)(std::uint32_t begin, std::uint32_t before, std::uint32_t between, std::uint32_t* out,
                std::size_t count);
  float (*largest_magnitude)(const float* x, std::size_t count);
  /// Sums in double, in eight lanes: element i in lane i mod 8; the lanes are added pairwise.
  double (*sum_of_magnitudes)(const float* x, std::size_t count);
  double (*sum_of_squares)(const float* x, std::size_t count);
  double (*sum)(const float* x, std::size_t count);
  void (*range)(const float* x, std::size_t count, float* least, float* largest);
  /// x < 0 as bits: element i in word i / 32, the first in the highest bit; what is left of the last word is
  /// zeros.
  void (*negatives)(const float* x, std::size_t count, std::uint32_t* words);
  /// The same bits in 32 rows of ⌈count / 32⌉ columns, a word a column, row 0 in the highest bit.
  void (*negatives_by_row)(const float* x, std::size_t count, std::uint32_t* words);
  /// Butterflies of a Walsh–Hadamard transform in place, not scaled; count is a power of two.
  void (*walsh_hadamard)(float* x, std::size_t count);
};

/// Those for this processor.
const Kernels& kernels();

/// Each form by itself; nothing where this processor (or build) cannot run it.
const Kernels* portable_kernels();
const Kernels* avx2_kernels();

}  // namespace traincast
