// bfloat16: the upper half of a float, rounded to nearest with ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace traincast {

/// The bits of the nearest bfloat16. What lies beyond its largest finite value becomes infinity; a NaN stays
/// one, even where its payload is only in the half that is cut off.
constexpr std::uint16_t bf16_bits(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

constexpr float bf16_value(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

constexpr float round_to_bf16(float value) { return bf16_value(bf16_bits(value)); }

}  // namespace traincast
