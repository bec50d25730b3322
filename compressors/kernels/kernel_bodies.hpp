// The loops of kernels.hpp, included once for each instruction set. Everything here has internal linkage and
// no function of the standard library is called, for the linker keeps one copy of an inline function, and it
// might be the one that not every processor can run.

#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

/// Ellis's "lowbias32" (constants found by search for low avalanche bias) with a key before it and one in its
/// middle, and without its last step, which betters the lowest bits only.
void draws(std::uint32_t begin, std::uint32_t before, std::uint32_t between, std::uint32_t* out,
           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t x = (begin + static_cast<std::uint32_t>(i)) ^ before;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += between;
    out[i] = x * 0x846ca68bu;
  }
}

// Enough for additions to follow one another without waiting.
constexpr std::size_t kLanes = 16;

template <class T>
constexpr T larger(T a, T b) {
  return a < b ? b : a;
}
template <class T>
constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}

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

/// Values to the one, their squares to the other.
[[gnu::always_inline]] inline void add_both_in_lanes(double* plain, double* squared, const float* x,
                                                     std::size_t count) {
  double sums[kLanes], squares[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] = plain[lane];
  for (std::size_t lane = 0; lane < kLanes; ++lane) squares[lane] = squared[lane];
  std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      auto value = static_cast<double>(x[i + lane]);
      sums[lane] += value;
      squares[lane] += value * value;
    }
  for (std::size_t lane = 0; whole + lane < count; ++lane) {
    auto value = static_cast<double>(x[whole + lane]);
    sums[lane] += value;
    squares[lane] += value * value;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) plain[lane] = sums[lane];
  for (std::size_t lane = 0; lane < kLanes; ++lane) squared[lane] = squares[lane];
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
  float low[kLanes] = {}, high[kLanes] = {};
  for (std::size_t lane = 0; lane < kLanes; ++lane) low[lane] = high[lane] = count > 0 ? x[0] : 0;
  std::size_t whole = count / kLanes * kLanes;
  auto take = [&](std::size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
  };
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) take(lane, x[i + lane]);
  for (std::size_t lane = 0; whole + lane < count; ++lane) take(lane, x[whole + lane]);
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    low[0] = smaller(low[0], low[lane]);
    high[0] = larger(high[0], high[lane]);
  }
  *least = low[0];
  *largest = high[0];
}

std::uint32_t negatives_of(const float* x, std::size_t count) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= x[i] < 0 ? 0x80000000u >> i : 0u;
  return word;
}

void negatives(const float* x, std::size_t count, std::uint32_t* words) {
  std::size_t whole = count / 32;
  for (std::size_t w = 0; w < whole; ++w) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 32; ++i) word |= x[32 * w + i] < 0 ? 0x80000000u >> i : 0u;
    words[w] = word;
  }
  if (count % 32 != 0) words[whole] = negatives_of(x + 32 * whole, count % 32);
}

void negatives_by_row(const float* x, std::size_t count, std::uint32_t* words) {
  const std::size_t columns = (count + 31) / 32;
  constexpr std::size_t kBlock = 2048;  // of words: they stay in the first cache while the rows pass
  for (std::size_t begin = 0; begin < columns; begin += kBlock) {
    std::size_t end = smaller(columns, begin + kBlock);
    for (std::size_t column = begin; column < end; ++column) words[column] = 0;
    unsigned row = 0;
    // Eight rows at once: their words are loaded and stored once.
    for (; row + 8 <= 32 && (row + 7) * columns + end <= count; row += 8) {
      const float* v = x + row * columns;
      const std::uint32_t top = 0x80000000u >> row;
      for (std::size_t c = begin; c < end; ++c) {
        std::uint32_t word = words[c];
        for (unsigned r = 0; r < 8; ++r) word |= v[r * columns + c] < 0 ? top >> r : 0u;
        words[c] = word;
      }
    }
    for (; row < 32; ++row) {
      std::size_t start = row * columns;
      if (start >= count) break;
      std::size_t last = smaller(end, count - start);
      const float* values = x + start;
      const std::uint32_t bit = 0x80000000u >> row;
      for (std::size_t column = begin; column < last; ++column)
        words[column] |= values[column] < 0 ? bit : 0u;
    }
  }
}

void signs(const std::uint32_t* words, std::size_t count, float* out) {
  std::size_t whole = count / 32 * 32;
  for (std::size_t i = 0; i < whole; i += 32) {
    const std::uint32_t word = words[i / 32];
    for (std::size_t b = 0; b < 32; ++b) out[i + b] = word & (0x80000000u >> b) ? -1.0f : 1.0f;
  }
  for (std::size_t i = whole; i < count; ++i)
    out[i] = words[i / 32] & (0x80000000u >> (i % 32)) ? -1.0f : 1.0f;
}

void signs_by_row(const std::uint32_t* words, std::size_t count, float* out) {
  const std::size_t columns = (count + 31) / 32;
  for (unsigned row = 0; row < 32 && row * columns < count; ++row) {
    const std::uint32_t bit = 0x80000000u >> row;
    const std::size_t last = smaller(columns, count - row * columns);
    float* values = out + row * columns;
    for (std::size_t column = 0; column < last; ++column) values[column] = words[column] & bit ? -1.0f : 1.0f;
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

void largest_by_chunk(const float* x, std::size_t count, std::size_t chunk, std::uint32_t* out) {
  for (std::size_t begin = 0; begin < count; begin += chunk) {
    const std::size_t size = smaller(chunk, count - begin);
    const float* v = x + begin;
    std::int32_t tops[kLanes] = {};
    const std::size_t whole = size / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        tops[lane] = larger(tops[lane], magnitude_bits(v + i + lane));
    std::int32_t top = 0;
    for (std::size_t i = whole; i < size; ++i) top = larger(top, magnitude_bits(v + i));
    for (std::size_t lane = 0; lane < kLanes; ++lane) top = larger(top, tops[lane]);
    std::size_t at = 0;
    for (; at < whole; at += kLanes) {
      std::uint32_t mask = 0;
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        mask |= magnitude_bits(v + at + lane) == top ? 1u << lane : 0u;
      if (mask != 0) {
        at += static_cast<std::size_t>(__builtin_ctz(mask));
        break;
      }
    }
    if (at >= whole)
      while (magnitude_bits(v + at) != top) ++at;
    *out++ = static_cast<std::uint32_t>(begin + at);
  }
}

constexpr float kUnit = 0x1p-24f;  // of a draw's upper 24 bits

void levels(const float* x, const std::uint32_t* draws_of, std::size_t count, float gain, float most,
            std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    float level = __builtin_fabsf(x[i]) * gain;
    level = level < most ? level : most;
    auto below = static_cast<std::int32_t>(level);
    float uniform = static_cast<float>(static_cast<std::int32_t>(draws_of[i] >> 8)) * kUnit;
    below += uniform < level - static_cast<float>(below) ? 1 : 0;
    below = x[i] < 0 ? -below : below;
    codes[i] = static_cast<std::uint8_t>(below + static_cast<std::int32_t>(most));
  }
}

void ternary(const float* x, const std::uint32_t* draws_of, std::size_t count, float limit, float scale,
             std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    float magnitude = __builtin_fabsf(x[i]);
    magnitude = magnitude < limit ? magnitude : limit;
    float uniform = static_cast<float>(static_cast<std::int32_t>(draws_of[i] >> 8)) * kUnit;
    std::int32_t code = x[i] < 0 ? 3 : 1;
    codes[i] = static_cast<std::uint8_t>(uniform * scale < magnitude ? code : 0);
  }
}

void grid(const float* x, const std::uint32_t* draws_of, std::size_t count, float least, float step,
          float most, std::uint8_t* codes) {
  if (step <= 0) {
    for (std::size_t i = 0; i < count; ++i) codes[i] = 0;
    return;
  }
  auto level_of = [&](std::size_t i) {
    float level = (x[i] - least) / step;
    level = level < 0 ? 0 : level;
    return level < most ? level : most;
  };
  if (draws_of == nullptr) {
    for (std::size_t i = 0; i < count; ++i)
      codes[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(level_of(i) + 0.5f));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    float level = level_of(i);
    auto below = static_cast<std::int32_t>(level);
    float uniform = static_cast<float>(static_cast<std::int32_t>(draws_of[i] >> 8)) * kUnit;
    codes[i] = static_cast<std::uint8_t>(below + (uniform < level - static_cast<float>(below) ? 1 : 0));
  }
}

void pack_rows(const std::uint8_t* codes, std::size_t stride, std::size_t count,
               std::uint8_t* __restrict out) {
  const std::uint8_t *a = codes, *b = a + stride, *c = b + stride, *d = c + stride;
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>(a[i] | b[i] << 2 | c[i] << 4 | d[i] << 6);
}

bool ternary_values(const std::uint8_t* packed, std::size_t count, unsigned row, float scale,
                    float* __restrict out) {
  std::int32_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t code = (packed[i] >> (2 * row)) & 3;
    wrong |= code == 2 ? 1 : 0;
    // 0, 1, and 3 for −1.
    out[i] = static_cast<float>((code & 1) - (code & 2)) * scale;
  }
  return wrong == 0;
}

void pack(const std::uint8_t* codes, std::size_t count, unsigned bits, std::uint8_t* out) {
  if (bits == 4)
    for (std::size_t i = 0; i < count / 2; ++i)
      out[i] = static_cast<std::uint8_t>(codes[2 * i] | codes[2 * i + 1] << 4);
  else if (bits == 2)
    for (std::size_t i = 0; i < count / 4; ++i)
      out[i] = static_cast<std::uint8_t>(codes[4 * i] | codes[4 * i + 1] << 2 | codes[4 * i + 2] << 4 |
                                         codes[4 * i + 3] << 6);
  else
    for (std::size_t i = 0; i < count / 8; ++i) {
      unsigned byte = 0;
      for (unsigned b = 0; b < 8; ++b) byte |= static_cast<unsigned>(codes[8 * i + b]) << b;
      out[i] = static_cast<std::uint8_t>(byte);
    }
}

void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, std::uint8_t* codes) {
  if (bits == 4)
    for (std::size_t i = 0; i < count / 2; ++i) {
      codes[2 * i] = packed[i] & 15;
      codes[2 * i + 1] = packed[i] >> 4;
    }
  else if (bits == 2)
    for (std::size_t i = 0; i < count / 4; ++i)
      for (unsigned b = 0; b < 4; ++b) codes[4 * i + b] = (packed[i] >> (2 * b)) & 3;
  else
    for (std::size_t i = 0; i < count / 8; ++i)
      for (unsigned b = 0; b < 8; ++b) codes[8 * i + b] = (packed[i] >> b) & 1;
}

void values(const std::uint8_t* codes, std::size_t count, float zero, float step, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = (static_cast<float>(codes[i]) - zero) * step;
}

void butterflies(float* x, std::size_t count, std::size_t begin_stride) {
  for (std::size_t stride = begin_stride; stride < count; stride *= 2)
    for (std::size_t block = 0; block < count; block += 2 * stride)
      for (std::size_t i = block; i < block + stride; ++i) {
        float a = x[i], b = x[i + stride];
        x[i] = a + b;
        x[i + stride] = a - b;
      }
}

/// Strides 1, 2 and 4 in one go, within eight neighbours.
void short_butterflies(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 8) {
    float a[8], b[8];
    for (std::size_t j = 0; j < 8; ++j) a[j] = x[i + j];
    for (std::size_t j = 0; j < 8; ++j) b[j] = j & 1 ? a[j - 1] - a[j] : a[j] + a[j + 1];
    for (std::size_t j = 0; j < 8; ++j) a[j] = j & 2 ? b[j - 2] - b[j] : b[j] + b[j + 2];
    for (std::size_t j = 0; j < 8; ++j) x[i + j] = j & 4 ? a[j - 4] - a[j] : a[j] + a[j + 4];
  }
}

/// Two strides at once: a pass over memory for every two.
void double_butterflies(float* x, std::size_t count, std::size_t stride) {
  for (std::size_t block = 0; block < count; block += 4 * stride) {
    float *p = x + block, *q = p + stride, *r = q + stride, *s = r + stride;
    for (std::size_t i = 0; i < stride; ++i) {
      float a = p[i] + q[i], b = p[i] - q[i], c = r[i] + s[i], d = r[i] - s[i];
      p[i] = a + c;
      q[i] = b + d;
      r[i] = a - c;
      s[i] = b - d;
    }
  }
}

/// Three strides at once: each of eight runs of `stride` neighbours with the others.
void triple_butterflies_of(float* __restrict v0, float* __restrict v1, float* __restrict v2,
                           float* __restrict v3, float* __restrict v4, float* __restrict v5,
                           float* __restrict v6, float* __restrict v7, std::size_t stride) {
  for (std::size_t i = 0; i < stride; ++i) {
    float b0 = v0[i] + v1[i], b1 = v0[i] - v1[i], b2 = v2[i] + v3[i], b3 = v2[i] - v3[i];
    float b4 = v4[i] + v5[i], b5 = v4[i] - v5[i], b6 = v6[i] + v7[i], b7 = v6[i] - v7[i];
    float a0 = b0 + b2, a1 = b1 + b3, a2 = b0 - b2, a3 = b1 - b3;
    float a4 = b4 + b6, a5 = b5 + b7, a6 = b4 - b6, a7 = b5 - b7;
    v0[i] = a0 + a4;
    v1[i] = a1 + a5;
    v2[i] = a2 + a6;
    v3[i] = a3 + a7;
    v4[i] = a0 - a4;
    v5[i] = a1 - a5;
    v6[i] = a2 - a6;
    v7[i] = a3 - a7;
  }
}

void triple_butterflies(float* x, std::size_t count, std::size_t stride) {
  for (std::size_t block = 0; block < count; block += 8 * stride) {
    float* v = x + block;
    triple_butterflies_of(v, v + stride, v + 2 * stride, v + 3 * stride, v + 4 * stride, v + 5 * stride,
                          v + 6 * stride, v + 7 * stride, stride);
  }
}

void walsh_hadamard(float* x, std::size_t count) {
  constexpr std::size_t kCached = 4096;  // floats that the first cache holds
  if (count > kCached) {
    // Eighths (or fewer parts) first, each in the cache as far as it goes, then the longest strides over all.
    std::size_t parts = count >= 8 * kCached ? 8 : count >= 4 * kCached ? 4 : 2;
    for (std::size_t part = 0; part < parts; ++part)
      walsh_hadamard(x + part * (count / parts), count / parts);
    if (parts == 8) return triple_butterflies(x, count, count / 8);
    if (parts == 4) return double_butterflies(x, count, count / 4);
    return butterflies(x, count, count / 2);
  }
  if (count < 8) return butterflies(x, count, 1);
  short_butterflies(x, count);
  std::size_t stride = 8;
  for (; 8 * stride <= count; stride *= 8) triple_butterflies(x, count, stride);
  if (4 * stride <= count) {
    double_butterflies(x, count, stride);
    stride *= 4;
  }
  if (stride < count) butterflies(x, count, stride);
}

constexpr Kernels kThese{draws,   largest_magnitude, sum_of_magnitudes, sum_of_squares, moments,
                         range,   negatives,         negatives_by_row,  signs,          signs_by_row,
                         collect, count_from,        largest_by_chunk,  levels,         ternary,
                         grid,    pack_rows,         ternary_values,    pack,           unpack,
                         values,  walsh_hadamard};

}  // namespace

}  // namespace traincast
