// Sums, extremes and selection. Sums are in fixed lanes, so that every instruction set adds in the same
// order.
#pragma once

#include "compressors/kernels/lanes.hpp"

namespace traincast {

namespace {

// Enough for additions to follow one another without waiting.
constexpr std::size_t kLanes = 16;

[[gnu::always_inline]] inline double added_up(double* lanes) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

/// Adds to the lanes; of all pieces of a vector but the last the count is a multiple of their number.
template <class Term>
[[gnu::always_inline]] inline void add_in_lanes(double* lanes, const float* x, std::size_t count, Term term) {
  double sums[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] = lanes[lane];
  std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(x[i + lane]);
  for (std::size_t lane = 0; whole + lane < count; ++lane) sums[lane] += term(x[whole + lane]);
  for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = sums[lane];
}

template <class Term>
double sum_in_lanes(const float* x, std::size_t count, Term term) {
  double lanes[kLanes] = {};
  add_in_lanes(lanes, x, count, term);
  return added_up(lanes);
}

double sum_of_magnitudes(const float* x, std::size_t count) {
  return sum_in_lanes(x, count, [](float value) { return static_cast<double>(__builtin_fabsf(value)); });
}
double sum_of_squares(const float* x, std::size_t count) {
  return sum_in_lanes(x, count,
                      [](float value) { return static_cast<double>(value) * static_cast<double>(value); });
}
float largest_magnitude(const float* x, std::size_t count) {
  // As integers: magnitudes of floats are ordered as their bits, and integer maxima are vectorised.
  constexpr std::size_t kBlock = 64;
  std::int32_t top = 0;
  std::size_t whole = count / kBlock * kBlock;
  auto bits = [&](std::size_t i) {
    std::int32_t word;
    __builtin_memcpy(&word, x + i, sizeof word);
    return word & 0x7fffffff;
  };
  for (std::size_t i = 0; i < whole; i += kBlock)
    for (std::size_t j = 0; j < kBlock; ++j) top = larger(top, bits(i + j));
  for (std::size_t i = whole; i < count; ++i) top = larger(top, bits(i));
  float largest;
  __builtin_memcpy(&largest, &top, sizeof largest);
  return largest;
}

/// Values to the one, their squares to the other.
[[gnu::always_inline]] inline void add_both_in_lanes(double* plain, double* squared, const float* x,
                                                     std::size_t count) {
  constexpr std::size_t kDoubles = kVectorBytes / 8, kVectors = kLanes / kDoubles;
  Doubles sums[kVectors], squares[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) {
    sums[v] = load<Doubles>(plain + v * kDoubles);
    squares[v] = load<Doubles>(squared + v * kDoubles);
  }
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t v = 0; v < kVectors; ++v) {
      Doubles values = __builtin_convertvector(load<HalfFloats>(x + i + v * kDoubles), Doubles);
      sums[v] += values;
      squares[v] += values * values;
    }
  for (std::size_t v = 0; v < kVectors; ++v) {
    store(plain + v * kDoubles, sums[v]);
    store(squared + v * kDoubles, squares[v]);
  }
  for (std::size_t lane = 0; whole + lane < count; ++lane) {
    auto value = static_cast<double>(x[whole + lane]);
    plain[lane] += value;
    squared[lane] += value * value;
  }
}

void moments(const float* x, std::size_t count, double* sum, double* squares, float* largest) {
  constexpr std::size_t kPiece = 2048;  // that the first cache holds, for two loops
  double sums[kLanes] = {}, square_sums[kLanes] = {};
  *largest = 0;
  for (std::size_t i = 0; i < count; i += kPiece) {
    const std::size_t piece = smaller(kPiece, count - i);
    add_both_in_lanes(sums, square_sums, x + i, piece);
    *largest = larger(*largest, largest_magnitude(x + i, piece));
  }
  *sum = added_up(sums);
  *squares = added_up(square_sums);
}

void range(const float* x, std::size_t count, float* least, float* largest) {
  constexpr std::size_t kVectors = 4;
  *least = *largest = count > 0 ? x[0] : 0;
  Floats low[kVectors], high[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) low[v] = high[v] = Floats{} + *least;
  const std::size_t whole = count / (kVectors * kWidth) * (kVectors * kWidth);
  for (std::size_t i = 0; i < whole; i += kVectors * kWidth)
    for (std::size_t v = 0; v < kVectors; ++v) {
      auto values = load<Floats>(x + i + v * kWidth);
      low[v] = smaller_of(low[v], values);
      high[v] = larger_of(high[v], values);
    }
  for (std::size_t v = 0; v < kVectors; ++v)
    for (std::size_t lane = 0; lane < kWidth; ++lane) {
      *least = smaller(*least, low[v][lane]);
      *largest = larger(*largest, high[v][lane]);
    }
  for (std::size_t i = whole; i < count; ++i) {
    *least = smaller(*least, x[i]);
    *largest = larger(*largest, x[i]);
  }
}

std::int32_t magnitude_bits(const float* x) {
  std::int32_t word;
  __builtin_memcpy(&word, x, sizeof word);
  return word & 0x7fffffff;
}

std::size_t collect(const float* x, std::size_t count, std::int32_t threshold, std::uint32_t first,
                    std::uint32_t* out) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; i += 32) {
    std::uint32_t mask = 0;
    if (i + 32 <= count)
      for (std::size_t b = 0; b < 32; ++b) mask |= magnitude_bits(x + i + b) >= threshold ? 1u << b : 0u;
    else
      for (std::size_t b = 0; i + b < count; ++b)
        mask |= magnitude_bits(x + i + b) >= threshold ? 1u << b : 0u;
    for (; mask != 0; mask &= mask - 1)
      out[found++] = first + static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(mask));
  }
  return found;
}

std::size_t count_from(const float* x, std::size_t count, std::int32_t threshold) {
  constexpr std::size_t kPiece = 1 << 20;  // counts stay within 32 bits
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; i += kPiece) {
    std::int32_t some = 0;
    const std::size_t piece = smaller(kPiece, count - i);
    for (std::size_t j = 0; j < piece; ++j) some += magnitude_bits(x + i + j) >= threshold ? 1 : 0;
    found += static_cast<std::size_t>(some);
  }
  return found;
}

/// The largest of a chunk, then the first that is as large: the chunk is in the cache then.
void largest_by_chunk(const float* x, std::size_t count, std::size_t chunk, std::uint32_t* out) {
  constexpr std::size_t kVectors = 4;
  auto magnitudes = [](const float* from) { return load<Ints>(from) & 0x7fffffff; };
  for (std::size_t begin = 0; begin < count; begin += chunk) {
    const std::size_t size = smaller(chunk, count - begin);
    const float* values = x + begin;
    Ints tops[kVectors] = {};
    std::size_t i = 0;
    for (; i + kVectors * kWidth <= size; i += kVectors * kWidth)
      for (std::size_t v = 0; v < kVectors; ++v)
        tops[v] = larger_of(tops[v], magnitudes(values + i + v * kWidth));
    for (; i + kWidth <= size; i += kWidth) tops[0] = larger_of(tops[0], magnitudes(values + i));
    std::int32_t top = largest_lane(larger_of(larger_of(tops[0], tops[1]), larger_of(tops[2], tops[3])));
    for (; i < size; ++i) top = larger(top, magnitude_bits(values + i));
    std::size_t at = 0;
    for (; at + 32 <= size; at += 32) {
      std::uint32_t mask = 0;
      for (std::size_t b = 0; b < 32; ++b) mask |= magnitude_bits(values + at + b) == top ? 1u << b : 0u;
      if (mask == 0) continue;
      at += static_cast<std::size_t>(__builtin_ctz(mask));
      break;
    }
    while (magnitude_bits(values + at) != top) ++at;
    *out++ = static_cast<std::uint32_t>(begin + at);
  }
}

}  // namespace

}  // namespace traincast
