// Draws, signs and codes of few bits.
#pragma once

#include "compressors/kernels/lanes.hpp"

namespace traincast {

namespace {

/// Ellis's "lowbias32" (constants found by search for low avalanche bias) with a key before it and one in its
/// middle, and without its last step, which betters the lowest bits only.
template <class Number>
[[gnu::always_inline]] inline Number mixed(Number x, std::uint32_t before, std::uint32_t between) {
  x ^= before;
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x += between;
  return x * 0x846ca68bu;
}

void draws(std::uint32_t begin, std::uint32_t before, std::uint32_t between, std::uint32_t* out,
           std::size_t count) {
  constexpr std::size_t kVectors = 4;
  Words places = (Words)counting() + begin;
  std::size_t i = 0;
  for (; i + kVectors * kWidth <= count; i += kVectors * kWidth)
    for (std::size_t v = 0; v < kVectors; ++v, places += static_cast<std::uint32_t>(kWidth))
      store(out + i + v * kWidth, mixed(places, before, between));
  for (; i < count; ++i) out[i] = mixed(begin + static_cast<std::uint32_t>(i), before, between);
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

void signs_of_row(const std::uint32_t* words, std::size_t count, unsigned row, float* out) {
  const std::uint32_t bit = 0x80000000u >> row;
  for (std::size_t i = 0; i < count; ++i) out[i] = words[i] & bit ? -1.0f : 1.0f;
}

constexpr float kUnit = 0x1p-24f;  // of a draw's upper 24 bits

/// Draws as numbers in [0, 1).
[[gnu::always_inline]] inline Floats uniforms(const std::uint32_t* from) {
  return __builtin_convertvector((Ints)(load<Words>(from) >> 8), Floats) * kUnit;
}
[[gnu::always_inline]] inline float uniform(std::uint32_t draw) {
  return static_cast<float>(static_cast<std::int32_t>(draw >> 8)) * kUnit;
}
[[gnu::always_inline]] inline Floats magnitudes_of(const float* from) {
  return (Floats)(load<Ints>(from) & 0x7fffffff);
}

void levels(const float* x, const std::uint32_t* draws_of, std::size_t count, float gain, float most,
            std::uint8_t* codes) {
  const auto zero = static_cast<std::int32_t>(most);
  const Floats highest = Floats{} + most;
  store_codes(
      codes, count,
      [&](std::size_t i) {
        Floats level = smaller_of(magnitudes_of(x + i) * gain, highest);
        Ints below = __builtin_convertvector(level, Ints);
        below -= uniforms(draws_of + i) < level - __builtin_convertvector(below, Floats);
        const Ints negative = load<Ints>(x + i) >> 31;
        return ((below ^ negative) - negative) + zero;
      },
      [&](std::size_t i) {
        float level = smaller(__builtin_fabsf(x[i]) * gain, most);
        auto below = static_cast<std::int32_t>(level);
        below += uniform(draws_of[i]) < level - static_cast<float>(below) ? 1 : 0;
        return (x[i] < 0 ? -below : below) + zero;
      });
}

void ternary(const float* x, const std::uint32_t* draws_of, std::size_t count, float limit, float scale,
             std::uint8_t* codes) {
  const Floats highest = Floats{} + limit;
  store_codes(
      codes, count,
      [&](std::size_t i) {
        const Ints sent = uniforms(draws_of + i) * scale < smaller_of(magnitudes_of(x + i), highest);
        return sent & (((load<Ints>(x + i) >> 31) & 2) | 1);
      },
      [&](std::size_t i) {
        float magnitude = smaller(__builtin_fabsf(x[i]), limit);
        return uniform(draws_of[i]) * scale < magnitude ? (x[i] < 0 ? 3 : 1) : 0;
      });
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
    codes[i] =
        static_cast<std::uint8_t>(below + (uniform(draws_of[i]) < level - static_cast<float>(below) ? 1 : 0));
  }
}

void affine(const float* x, std::size_t count, float scale, float zero, std::uint8_t* codes) {
  constexpr float kWhole = 0x1.8p23f;  // floats of this size are whole numbers
  store_codes(
      codes, count,
      [&](std::size_t i) {
        const Floats code = load<Floats>(x + i) / scale + kWhole - kWhole + zero;
        return __builtin_convertvector(smaller_of(larger_of(code, Floats{}), Floats{} + 255), Ints);
      },
      [&](std::size_t i) {
        const float code = x[i] / scale + kWhole - kWhole + zero;
        return static_cast<std::int32_t>(smaller(larger(code, 0.0f), 255.0f));
      });
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

/// Eight codes beside each other in 64 bits, to and from neighbours in the lowest.
template <unsigned kBits>
[[gnu::always_inline]] inline std::uint64_t gathered(std::uint64_t x) {
  constexpr unsigned kFree = 8 - kBits;
  constexpr std::uint64_t kTwo = 0x0001000100010001u * ((1u << 2 * kBits) - 1);
  constexpr std::uint64_t kFour = 0x0000000100000001u * ((std::uint64_t{1} << 4 * kBits) - 1);
  x = (x | x >> kFree) & kTwo;
  x = (x | x >> 2 * kFree) & kFour;
  return x | x >> 4 * kFree;
}
template <unsigned kBits>
[[gnu::always_inline]] inline std::uint64_t spread(std::uint64_t x) {
  constexpr unsigned kFree = 8 - kBits;
  constexpr std::uint64_t kOne = 0x0101010101010101u * ((1u << kBits) - 1);
  constexpr std::uint64_t kTwo = 0x0001000100010001u * ((1u << 2 * kBits) - 1);
  constexpr std::uint64_t kFour = 0x0000000100000001u * ((std::uint64_t{1} << 4 * kBits) - 1);
  x = (x | x << 4 * kFree) & kFour;
  x = (x | x << 2 * kFree) & kTwo;
  return (x | x << kFree) & kOne;
}
template <unsigned kBits>
[[gnu::always_inline]] inline void pack_eights(const std::uint8_t* codes, std::size_t eights,
                                               std::uint8_t* out) {
  for (std::size_t i = 0; i < eights; ++i) {
    const std::uint64_t packed = gathered<kBits>(load<std::uint64_t>(codes + 8 * i));
    __builtin_memcpy(out + kBits * i, &packed, kBits);
  }
}
template <unsigned kBits>
[[gnu::always_inline]] inline void unpack_eights(const std::uint8_t* packed, std::size_t eights,
                                                 std::uint8_t* codes) {
  for (std::size_t i = 0; i < eights; ++i) {
    std::uint64_t x = 0;
    __builtin_memcpy(&x, packed + kBits * i, kBits);
    store(codes + 8 * i, spread<kBits>(x));
  }
}

void pack(const std::uint8_t* codes, std::size_t count, unsigned bits, std::uint8_t* out) {
  if (bits == 4)
    for (std::size_t i = 0; i < count / 2; ++i)
      out[i] = static_cast<std::uint8_t>(codes[2 * i] | codes[2 * i + 1] << 4);
  else if (bits == 2)
    pack_eights<2>(codes, count / 8, out);
  else
    pack_eights<1>(codes, count / 8, out);
}

void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, std::uint8_t* codes) {
  if (bits == 4)
    for (std::size_t i = 0; i < count / 2; ++i) {
      codes[2 * i] = packed[i] & 15;
      codes[2 * i + 1] = packed[i] >> 4;
    }
  else if (bits == 2)
    unpack_eights<2>(packed, count / 8, codes);
  else
    unpack_eights<1>(packed, count / 8, codes);
}

void values(const std::uint8_t* codes, std::size_t count, float zero, float step, float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = (static_cast<float>(codes[i]) - zero) * step;
}

}  // namespace

}  // namespace traincast
