// The loops of kernels.hpp, included once for each instruction set. Everything here has internal linkage and
// no function of the standard library is called, for the linker keeps one copy of an inline function, and it
// might be the one that not every processor can run.

#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

/// A bijection of 32-bit words in which every bit of the input moves about half of the output's (the
/// constants are Ellis's "lowbias32", found by search for low avalanche bias).
inline std::uint32_t mixed(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

void draws(std::uint32_t begin, std::uint32_t before, std::uint32_t between, std::uint32_t* out,
           std::size_t count) {
  for (std::uint32_t i = 0; i < count; ++i) out[i] = mixed(mixed((begin + i) ^ before) + between);
}

constexpr std::size_t kLanes = 8;

template <class T>
constexpr T larger(T a, T b) {
  return a < b ? b : a;
}
template <class T>
constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}

template <class Term>
double sum_in_lanes(const float* x, std::size_t count, Term term) {
  double lanes[kLanes] = {};
  std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(x[i + lane]);
  for (std::size_t lane = 0; whole + lane < count; ++lane) lanes[lane] += term(x[whole + lane]);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

double sum_of_magnitudes(const float* x, std::size_t count) {
  return sum_in_lanes(x, count, [](float value) { return static_cast<double>(__builtin_fabsf(value)); });
}
double sum_of_squares(const float* x, std::size_t count) {
  return sum_in_lanes(x, count,
                      [](float value) { return static_cast<double>(value) * static_cast<double>(value); });
}
double sum(const float* x, std::size_t count) {
  return sum_in_lanes(x, count, [](float value) { return static_cast<double>(value); });
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
    for (unsigned row = 0; row < 32; ++row) {
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

void walsh_hadamard(float* x, std::size_t count) {
  constexpr std::size_t kCached = 4096;  // floats that the first cache holds
  if (count > kCached) {
    // Quarters first, each in the cache as far as it goes, then the two longest strides over all.
    if (count >= 4 * kCached) {
      for (std::size_t quarter = 0; quarter < 4; ++quarter)
        walsh_hadamard(x + quarter * (count / 4), count / 4);
      double_butterflies(x, count, count / 4);
    } else {
      walsh_hadamard(x, count / 2);
      walsh_hadamard(x + count / 2, count / 2);
      butterflies(x, count, count / 2);
    }
    return;
  }
  if (count < 8) return butterflies(x, count, 1);
  short_butterflies(x, count);
  std::size_t stride = 8;
  for (; 4 * stride <= count; stride *= 4) double_butterflies(x, count, stride);
  if (stride < count) butterflies(x, count, stride);
}

constexpr Kernels kThese{draws, largest_magnitude, sum_of_magnitudes, sum_of_squares, sum,
                         range, negatives,         negatives_by_row,  walsh_hadamard};

}  // namespace

}  // namespace traincast
