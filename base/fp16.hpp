// IEEE 754 half precision: 5 bits of exponent, 10 of fraction; rounded to nearest with ties to even.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace traincast {

/// The bits of the nearest half. What rounds beyond its largest finite value, 65504, becomes infinity; a NaN
/// stays one.
inline std::uint16_t fp16_bits(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  auto sign = static_cast<std::uint32_t>((bits >> 16) & 0x8000);
  std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return static_cast<std::uint16_t>(sign | 0x7c00);  // 65520 and above
  if (magnitude < 0x38800000)  // below the smallest normal half, 2^-14: halves are multiples of 2^-24
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24f)));
  magnitude -= std::uint32_t{127 - 15} << 23;
  return static_cast<std::uint16_t>(sign | ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13));
}

inline float fp16_value(std::uint16_t bits) {
  auto sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  std::uint32_t magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
  if (magnitude < 0x400)
    return std::bit_cast<float>(sign |
                                std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f));
  return std::bit_cast<float>(sign | ((magnitude << 13) + (std::uint32_t{127 - 15} << 23)));
}

inline float round_to_fp16(float value) { return fp16_value(fp16_bits(value)); }

}  // namespace traincast
