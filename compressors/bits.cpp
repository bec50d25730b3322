#include "compressors/bits.hpp"

namespace traincast {

void WordBitWriter::put(std::uint32_t value, unsigned width) {
  while (width > 0) {
    if (bits_ % 32 == 0) words_.push_back(0);
    auto room = static_cast<unsigned>(32 - bits_ % 32), part = std::min(room, width);
    std::uint32_t field = width == 32 && part == 32 ? value : (value >> (width - part)) & ((1u << part) - 1);
    words_.back() |= field << (room - part);
    bits_ += part;
    width -= part;
  }
}

void WordBitWriter::put_delta(std::uint32_t number) {
  auto length = static_cast<unsigned>(std::bit_width(number));
  auto length_bits = static_cast<unsigned>(std::bit_width(length));
  put(0, length_bits - 1);
  put(length, length_bits);
  put(number & ((1u << (length - 1)) - 1), length - 1);
}

WordBitReader::WordBitReader(const char* kind, std::span<const std::uint32_t> words, std::uint64_t bits)
    : kind_(kind), words_(words), bits_(bits) {
  if (bits > 32 * words.size()) refuse_message(kind, "ends too early");
}

std::uint32_t WordBitReader::get(unsigned width) {
  if (bits_ - at_ < width) refuse_message(kind_, "ends within a code");
  std::uint64_t value = 0;
  while (width > 0) {
    auto room = static_cast<unsigned>(32 - at_ % 32), part = std::min(room, width);
    std::uint64_t field = words_[at_ / 32] >> (room - part);
    value = (value << part) | (field & ((std::uint64_t{1} << part) - 1));
    at_ += part;
    width -= part;
  }
  return static_cast<std::uint32_t>(value);
}

std::uint32_t WordBitReader::get_delta() {
  unsigned zeros = 0;
  while (get(1) == 0)
    if (++zeros > 5) refuse_message(kind_, "holds no Elias code where one is due");
  unsigned length = (1u << zeros) | get(zeros);
  if (length > 32) refuse_message(kind_, "holds an Elias code beyond 32 bits");
  return static_cast<std::uint32_t>((std::uint64_t{1} << (length - 1)) | get(length - 1));
}

}  // namespace traincast
