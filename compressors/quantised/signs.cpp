#include "compressors/quantised/signs.hpp"

#include <algorithm>
#include <iterator>

#include "compressors/kernels/kernels.hpp"

namespace traincast {

void append_signs(Message& message, std::span<const float> values, SignLayout layout) {
  const std::size_t begin = message.size();
  message.resize(begin + sign_bytes(layout, values.size()));
  if (unpacked(layout)) {
    auto* out = reinterpret_cast<std::int8_t*>(message.data() + begin);
    if (layout == SignLayout::bytes)
      for (float value : values) *out++ = static_cast<std::int8_t>((value > 0) - (value < 0));
    else
      for (float value : values) *out++ = value < 0 ? -1 : 1;
    return;
  }
  auto pack = layout == SignLayout::words ? kernels().negatives : kernels().negatives_by_row;
  if (begin == 0) {  // where words may stand
    pack(values.data(), values.size(), reinterpret_cast<std::uint32_t*>(message.data()));
    return;
  }
  std::vector<std::uint32_t> words((values.size() + 31) / 32);
  pack(values.data(), values.size(), words.data());
  if (!words.empty()) std::memcpy(message.data() + begin, words.data(), words.size() * sizeof(words[0]));
}

void check_signs(const char* kind, std::span<const std::byte> message, std::uint64_t numel,
                 SignLayout layout) {
  expect_message_size(kind, message, sign_bytes(layout, numel));
  const std::uint64_t columns = message.size() / 4;
  auto set = [&](std::uint64_t word, std::uint32_t bits) {
    return (value_at<std::uint32_t>(message, 4 * word) & bits) != 0;
  };
  bool wrong = false;
  if (layout == SignLayout::words && numel % 32 != 0) wrong = set(columns - 1, 0xffffffffu >> (numel % 32));
  if (layout == SignLayout::rows)
    for (std::uint64_t i = numel; i < 32 * columns; ++i)
      wrong = wrong || set(i % columns, 0x80000000u >> (i / columns));
  if (wrong) refuse_message(kind, "is not filled with zeros");
}

void read_signs(const char* kind, std::span<const std::byte> message, std::uint64_t numel, SignLayout layout,
                std::uint64_t begin, std::span<float> into) {
  if (unpacked(layout)) {
    bool wrong = false;
    const bool no_zero = layout == SignLayout::mask;
    for (std::size_t i = 0; i < into.size(); ++i) {
      const auto sign = static_cast<std::int8_t>(message[begin + i]);
      wrong |= sign < -1 || sign > 1 || (no_zero && sign == 0);
      into[i] = sign;
    }
    if (wrong) refuse_message(kind, "has a byte that is no sign");
    return;
  }
  // Words are copied, for they may stand anywhere.
  std::uint32_t words[1024];
  const std::uint64_t columns = (numel + 31) / 32;
  for (std::size_t i = 0; i < into.size();) {
    const std::uint64_t place = begin + i, first = layout == SignLayout::words ? place / 32 : place % columns;
    const std::uint64_t room = layout == SignLayout::words
                                   ? 32 * std::size(words)
                                   : std::min<std::uint64_t>(std::size(words), columns - first);
    const std::size_t count = std::min<std::uint64_t>(into.size() - i, room);
    std::memcpy(words, message.data() + 4 * first,
                4 * (layout == SignLayout::words ? (count + 31) / 32 : count));
    if (layout == SignLayout::words)
      kernels().signs(words, count, into.data() + i);
    else
      kernels().signs_of_row(words, count, static_cast<unsigned>(place / columns), into.data() + i);
    i += count;
  }
}

}  // namespace traincast
