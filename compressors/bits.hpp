// Fields of bits as bytes, in the two orders that wire formats use, and Elias codes.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "compressors/codec.hpp"

namespace traincast {

/// Bits that `values` different codes take.
constexpr unsigned bits_for(std::uint64_t values) {
  return values <= 1 ? 0 : static_cast<unsigned>(std::bit_width(values - 1));
}
constexpr std::uint64_t bytes_of_bits(std::uint64_t bits) { return (bits + 7) / 8; }

/// Fields of up to 32 bits, lowest bit first, without gaps.
class LowBitWriter {
 public:
  explicit LowBitWriter(Message& message) : message_(message) {}
  void put(std::uint32_t value, unsigned width) {
    pending_ |= std::uint64_t{value} << held_;
    for (held_ += width; held_ >= 8; held_ -= 8, pending_ >>= 8)
      message_.push_back(std::byte(pending_ & 0xff));
  }
  /// Fills the last byte with zeros.
  void finish() {
    if (held_ > 0) message_.push_back(std::byte(pending_));
    pending_ = 0;
    held_ = 0;
  }

 private:
  Message& message_;
  std::uint64_t pending_ = 0;  // at most 7 bits left over and 32 new ones
  unsigned held_ = 0;
};

/// The caller makes sure that the message is as long as what is read.
class LowBitReader {
 public:
  explicit LowBitReader(std::span<const std::byte> message) : message_(message) {}
  std::uint32_t get(unsigned width) {
    for (; held_ < width; held_ += 8) pending_ |= std::to_integer<std::uint64_t>(message_[next_++]) << held_;
    auto value = static_cast<std::uint32_t>(pending_ & ((std::uint64_t{1} << width) - 1));
    pending_ >>= width;
    held_ -= width;
    return value;
  }
  /// Whether what is left of the last byte read is zeros.
  bool filled_with_zeros() const { return pending_ == 0; }

 private:
  std::span<const std::byte> message_;
  std::size_t next_ = 0;
  std::uint64_t pending_ = 0;
  unsigned held_ = 0;
};

/// Fields highest bit first in 32-bit words, as BytePS writes them.
class WordBitWriter {
 public:
  void put(std::uint32_t value, unsigned width);
  /// Elias's delta code of a number from 1: the length of its length in unary, its length, its bits below the
  /// first (Elias 1975).
  void put_delta(std::uint32_t number);
  std::uint64_t bits() const { return bits_; }
  /// The words so far, the last filled with zeros.
  std::span<const std::uint32_t> words() const { return words_; }

 private:
  std::vector<std::uint32_t> words_;
  std::uint64_t bits_ = 0;
};

/// Throws InputError where the words end within a field or a code is none.
class WordBitReader {
 public:
  WordBitReader(const char* kind, std::span<const std::uint32_t> words, std::uint64_t bits);
  std::uint32_t get(unsigned width);
  std::uint32_t get_delta();
  bool at_end() const { return at_ == bits_; }

 private:
  const char* kind_;
  std::span<const std::uint32_t> words_;
  std::uint64_t bits_, at_ = 0;
};

/// Bits of Elias's delta code of a number from 1.
constexpr unsigned delta_bits(std::uint32_t number) {
  auto length = static_cast<unsigned>(std::bit_width(number));
  return length - 1 + 2 * static_cast<unsigned>(std::bit_width(length)) - 1;
}

}  // namespace traincast
