// Vectors as wide as the instruction set has them, for loops that the compiler does not make of plain ones.
// Included once for each set, with internal linkage throughout.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace traincast {

namespace {

#if defined(__AVX2__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif
constexpr std::size_t kWidth = kVectorBytes / 4;

using Floats [[gnu::vector_size(kVectorBytes)]] = float;
using HalfFloats [[gnu::vector_size(kVectorBytes / 2)]] = float;
using Doubles [[gnu::vector_size(kVectorBytes)]] = double;
using Ints [[gnu::vector_size(kVectorBytes)]] = std::int32_t;
using Words [[gnu::vector_size(kVectorBytes)]] = std::uint32_t;

template <class Vector>
[[gnu::always_inline]] inline Vector load(const void* from) {
  Vector vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}
template <class Vector>
[[gnu::always_inline]] inline void store(void* to, Vector vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}
// a > b ? a : b and b < a ? b : a, to the bit, each in one instruction.
[[gnu::always_inline]] inline Ints larger_of(Ints a, Ints b) {
#if defined(__AVX2__)
  return (Ints)_mm256_max_epi32((__m256i)a, (__m256i)b);
#elif defined(__SSE4_1__)
  return (Ints)_mm_max_epi32((__m128i)a, (__m128i)b);
#else
  return a > b ? a : b;
#endif
}
[[gnu::always_inline]] inline Floats larger_of(Floats a, Floats b) {
#if defined(__AVX2__)
  return _mm256_max_ps(a, b);
#elif defined(__SSE2__)
  return _mm_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
[[gnu::always_inline]] inline Floats smaller_of(Floats a, Floats b) {
#if defined(__AVX2__)
  return _mm256_min_ps(b, a);
#elif defined(__SSE2__)
  return _mm_min_ps(b, a);
#else
  return b < a ? b : a;
#endif
}
[[gnu::always_inline]] inline Ints counting() {
  Ints places;
  for (std::size_t lane = 0; lane < kWidth; ++lane) places[lane] = static_cast<std::int32_t>(lane);
  return places;
}
[[gnu::always_inline]] inline std::int32_t largest_lane(Ints vector) {
  for (std::size_t half = kWidth / 2; half > 0; half /= 2)
    vector = larger_of(vector, __builtin_shuffle(vector, counting() ^ static_cast<std::int32_t>(half)));
  return vector[0];
}

/// Four vectors of numbers from 0 to 255 as bytes, one behind the other.
[[gnu::always_inline]] inline void store_bytes(std::uint8_t* to, Ints a, Ints b, Ints c, Ints d) {
#if defined(__AVX2__)
  auto low = _mm256_packs_epi32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b));
  auto high = _mm256_packs_epi32(reinterpret_cast<__m256i>(c), reinterpret_cast<__m256i>(d));
  // Halves of registers are packed by themselves.
  store(to, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high),
                                        _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
#elif defined(__SSE2__)
  auto low = _mm_packs_epi32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b));
  auto high = _mm_packs_epi32(reinterpret_cast<__m128i>(c), reinterpret_cast<__m128i>(d));
  store(to, _mm_packus_epi16(low, high));
#else
  for (std::size_t lane = 0; lane < kWidth; ++lane) {
    to[lane] = static_cast<std::uint8_t>(a[lane]);
    to[kWidth + lane] = static_cast<std::uint8_t>(b[lane]);
    to[2 * kWidth + lane] = static_cast<std::uint8_t>(c[lane]);
    to[3 * kWidth + lane] = static_cast<std::uint8_t>(d[lane]);
  }
#endif
}

/// code(i) for elements 0 … count − 1, as bytes: `vector(i)` gives those from i on.
template <class Vector, class One>
[[gnu::always_inline]] inline void store_codes(std::uint8_t* to, std::size_t count, Vector vector, One one) {
  std::size_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth)
    store_bytes(to + i, vector(i), vector(i + kWidth), vector(i + 2 * kWidth), vector(i + 3 * kWidth));
  for (; i < count; ++i) to[i] = static_cast<std::uint8_t>(one(i));
}

template <class T>
constexpr T larger(T a, T b) {
  return a < b ? b : a;
}
template <class T>
constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}

}  // namespace

}  // namespace traincast
