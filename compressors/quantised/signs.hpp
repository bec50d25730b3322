// One bit an element: which are negative. Zeros count as positive.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compressors/codec.hpp"

namespace traincast {

/// How signs stand on the wire.
enum class SignLayout {
  words,  ///< element i in word i / 32, the first in the highest bit (BytePS's onebit)
  rows,   ///< 32 rows of ⌈d / 32⌉ columns, a word a column, row 0 in the highest bit (signSGD's bit2byte)
  bytes,  ///< a byte each: sign(x) as −1, 0 or 1 (torch.sign, which goes unpacked)
  mask,   ///< a byte each: −1 or 1, zero counting as positive (GRACE's comparison with zero)
};

constexpr bool unpacked(SignLayout layout) {
  return layout == SignLayout::bytes || layout == SignLayout::mask;
}
constexpr Bytes sign_bytes(SignLayout layout, std::uint64_t numel) {
  return unpacked(layout) ? numel : 4 * ((numel + 31) / 32);
}

void append_signs(Message& message, std::span<const float> values, SignLayout layout);

/// Throws InputError where the length or the fill is wrong.
void check_signs(const char* kind, std::span<const std::byte> message, std::uint64_t numel,
                 SignLayout layout);

/// ±1 (0 too, for bytes) of the elements from `begin` on, a multiple of 32; the message, of which the signs
/// are the first bytes, is a checked one. Throws InputError where a byte is no sign.
void read_signs(const char* kind, std::span<const std::byte> message, std::uint64_t numel, SignLayout layout,
                std::uint64_t begin, std::span<float> into);

}  // namespace traincast
