// The 16-bit floating-point formats that a trace may hold: widened to float, which is exact, and rounded from
// it, to the nearest, ties to even.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace traincast {

inline float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

inline float f16_to_float(std::uint16_t bits) {
  std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16, rest = bits & 0x7fffu;
  if (rest >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  if (rest < 0x0400) {  // zero and subnormals: multiples of 2^-24
    float magnitude = static_cast<float>(rest) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((rest << 13) + (std::uint32_t{127 - 15} << 23)));
}

/// Infinity where the value is beyond the format; not for NaN.
inline std::uint16_t float_to_bf16(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline std::uint16_t float_to_f16(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  std::uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  std::uint32_t half;
  if (rest >= 0x477ff000) {  // 65520, half-way between the largest number and the next
    half = 0x7c00;
  } else if (rest < 0x38800000) {  // below 2^-14: multiples of 2^-24, which nearbyint rounds as the rest is
    half = static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(rest) * 0x1p24f));
  } else {
    rest -= std::uint32_t{127 - 15} << 23;
    half = (rest + 0xfff + (rest >> 13 & 1)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

}  // namespace traincast
