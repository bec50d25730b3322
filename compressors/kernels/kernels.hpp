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
  /// Sums in double, in 16 lanes: element i in lane i mod 16; the lanes are added pairwise, first those 8
  /// apart.
  double (*sum_of_magnitudes)(const float* x, std::size_t count);
  double (*sum_of_squares)(const float* x, std::size_t count);
  /// Sum, sum of squares and largest magnitude in one pass, in the same lanes.
  void (*moments)(const float* x, std::size_t count, double* sum, double* squares, float* largest);
  void (*range)(const float* x, std::size_t count, float* least, float* largest);
  /// x < 0 as bits: element i in word i / 32, the first in the highest bit; what is left of the last word is
  /// zeros.
  void (*negatives)(const float* x, std::size_t count, std::uint32_t* words);
  /// The same bits in 32 rows of ⌈count / 32⌉ columns, a word a column, row 0 in the highest bit.
  void (*negatives_by_row)(const float* x, std::size_t count, std::uint32_t* words);
  /// What `negatives` packed, as −1 and 1.
  void (*signs)(const std::uint32_t* words, std::size_t count, float* out);
  /// Of what `negatives_by_row` packed, one row of these columns, likewise.
  void (*signs_of_row)(const std::uint32_t* words, std::size_t count, unsigned row, float* out);
  /// Places (from `first` on) of values whose magnitude, as bits, is at least `threshold`; returns how many.
  /// `out` has room for all.
  std::size_t (*collect)(const float* x, std::size_t count, std::int32_t threshold, std::uint32_t first,
                         std::uint32_t* out);
  /// How many values have at least this magnitude, as bits.
  std::size_t (*count_from)(const float* x, std::size_t count, std::int32_t threshold);
  /// The place of the largest magnitude, the first of equal ones, of every `chunk` values (the last may be
  /// fewer).
  void (*largest_by_chunk)(const float* x, std::size_t count, std::size_t chunk, std::uint32_t* out);
  /// Levels |x| · gain, at most `most` (≤ 127), rounded up where the draw's upper 24 bits say so, with the
  /// sign of x and `most` added: codes 0 … 2·most.
  void (*levels)(const float* x, const std::uint32_t* draws, std::size_t count, float gain, float most,
                 std::uint8_t* codes);
  /// Codes 1 (positive) and 3 (negative) with probability min(|x|, limit) / scale, else 0.
  void (*ternary)(const float* x, const std::uint32_t* draws, std::size_t count, float limit, float scale,
                  std::uint8_t* codes);
  /// (x − least) / step, from 0 to `most` (≤ 255), to the nearest whole number (halves up), or, where there
  /// are draws, up where their upper 24 bits say so.
  void (*grid)(const float* x, const std::uint32_t* draws, std::size_t count, float least, float step,
               float most, std::uint8_t* codes);
  /// x / scale to the nearest whole number (halves to even; magnitudes below 2²²) plus `zero`, within 0 …
  /// 255.
  void (*affine)(const float* x, std::size_t count, float scale, float zero, std::uint8_t* codes);
  /// Codes of two bits of four rows, each `stride` behind the one before, beside each other in a byte, the
  /// first row lowest; and back as −scale, 0 and scale (3, 0 and 1). Returns whether none was 2.
  void (*pack_rows)(const std::uint8_t* codes, std::size_t stride, std::size_t count, std::uint8_t* out);
  bool (*ternary_values)(const std::uint8_t* packed, std::size_t count, unsigned row, float scale,
                         float* out);
  /// Codes of 1, 2 or 4 bits in bytes, the first lowest, and back; `count` is a multiple of 8.
  void (*pack)(const std::uint8_t* codes, std::size_t count, unsigned bits, std::uint8_t* out);
  void (*unpack)(const std::uint8_t* packed, std::size_t count, unsigned bits, std::uint8_t* codes);
  /// (code − zero) · step.
  void (*values)(const std::uint8_t* codes, std::size_t count, float zero, float step, float* out);
  /// x · scale, with the other sign where the draw's highest bit is set; in place where `out` is x.
  void (*flip_signs)(const float* x, const std::uint32_t* draws, std::size_t count, float scale, float* out);
  /// x plus a number of [−reach, reach), by the draw's upper 24 bits.
  void (*dither)(float* x, const std::uint32_t* draws, std::size_t count, float reach);
  /// Butterflies of a Walsh–Hadamard transform in place, not scaled; count is a power of two.
  void (*walsh_hadamard)(float* x, std::size_t count);
};

/// Those for this processor.
const Kernels& kernels();

/// Each form by itself; nothing where this processor (or build) cannot run it.
const Kernels* portable_kernels();
const Kernels* avx2_kernels();

}  // namespace traincast
