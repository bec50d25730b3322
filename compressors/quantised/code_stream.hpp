// Codes of up to 8 bits, packed lowest bit first, written and read block by block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "compressors/bits.hpp"
#include "compressors/codec.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {

/// Codes that are drawn, made or read together.
inline constexpr std::size_t kCodeBlock = 1024;

class CodeWriter {
 public:
  /// Room for `count` codes is made at the end of the message at once.
  CodeWriter(Message& message, unsigned bits, std::uint64_t count)
      : message_(message), bits_(bits), at_(message.size()), codes_(2 * kCodeBlock) {
    message.resize(at_ + bytes_of_bits(count * bits));
  }
  /// Where the next up to kCodeBlock codes go; then `take` says how many went there.
  std::uint8_t* next() {
    if (bits_ == 8) return reinterpret_cast<std::uint8_t*>(message_.data() + at_);
    return codes_.data() + held_;
  }
  void take(std::size_t count) {
    if (bits_ == 8) {
      at_ += count;
      return;
    }
    held_ += count;
    if (held_ >= kCodeBlock) flush(held_ / 8 * 8);
  }
  /// Fills the last byte with zeros.
  void finish() {
    std::size_t padded = (held_ + 7) / 8 * 8;
    std::fill(codes_.begin() + static_cast<std::ptrdiff_t>(held_),
              codes_.begin() + static_cast<std::ptrdiff_t>(padded), std::uint8_t{0});
    flush(padded);
  }

 private:
  void flush(std::size_t count) {
    std::size_t bytes = std::min<std::size_t>(count * bits_ / 8, message_.size() - at_);
    auto* out = reinterpret_cast<std::uint8_t*>(message_.data() + at_);
    if (bytes * 8 == count * bits_ && 8 % bits_ == 0) {
      kernels().pack(codes_.data(), count, bits_, out);
    } else {
      Message packed;
      LowBitWriter writer(packed);
      for (std::size_t i = 0; i < count; ++i) writer.put(codes_[i], bits_);
      std::transform(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(bytes), out,
                     [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    }
    at_ += bytes;
    std::size_t left = held_ > count ? held_ - count : 0;
    std::copy_n(codes_.begin() + static_cast<std::ptrdiff_t>(count), left, codes_.begin());
    held_ = left;
  }

  Message& message_;
  unsigned bits_;
  std::size_t at_;
  std::vector<std::uint8_t> codes_;
  std::size_t held_ = 0;
};

/// Throws InputError where the length is another or the last byte is not filled with zeros.
inline void check_codes(const char* kind, std::span<const std::byte> packed, std::uint64_t count,
                        unsigned bits) {
  expect_message_size(kind, packed, bytes_of_bits(count * bits));
  const auto used = static_cast<unsigned>(count * bits % 8);
  if (used != 0 && std::to_integer<unsigned>(packed.back()) >> used != 0)
    refuse_message(kind, "is not filled with zeros");
}

/// Codes from `first` on, a multiple of 8, of a checked stream.
inline void read_codes(std::span<const std::byte> packed, std::uint64_t first, unsigned bits,
                       std::span<std::uint8_t> codes) {
  packed = packed.subspan(first * bits / 8);
  const auto* in = reinterpret_cast<const std::uint8_t*>(packed.data());
  if (bits == 8) {
    std::copy_n(in, codes.size(), codes.begin());
    return;
  }
  const bool even = 8 % bits == 0;
  const std::size_t whole = even ? codes.size() / 8 * 8 : 0;
  if (even) kernels().unpack(in, whole, bits, codes.data());
  LowBitReader reader(packed.subspan(whole * bits / 8));
  for (std::size_t i = whole; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(reader.get(bits));
}

}  // namespace traincast
