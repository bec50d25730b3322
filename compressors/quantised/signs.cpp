#include "compressors/quantised/signs.hpp"

#include "compressors/kernels/kernels.hpp"

namespace traincast {

void append_signs(Message& message, std::span<const float> values, SignLayout layout) {
  if (layout == SignLayout::bytes) {
    for (float value : values) append(message, static_cast<std::int8_t>((value > 0) - (value < 0)));
    return;
  }
  const std::size_t begin = message.size();
  message.resize(begin + sign_bytes(layout, values.size()));
  auto pack = layout == SignLayout::words ? kernels().negatives : kernels().negatives_by_row;
  if (begin == 0) {  // where words may stand
    pack(values.data(), values.size(), reinterpret_cast<std::uint32_t*>(message.data()));
    return;
  }
  std::vector<std::uint32_t> words((values.size() + 31) / 32);
  pack(values.data(), values.size(), words.data());
  if (!words.empty()) std::memcpy(message.data() + begin, words.data(), words.size() * sizeof(words[0]));
}

std::vector<float> read_signs(const char* kind, std::span<const std::byte> message, std::uint64_t numel,
                              SignLayout layout) {
  expect_message_size(kind, message, sign_bytes(layout, numel));
  std::vector<float> signs(numel);
  if (layout == SignLayout::bytes) {
    for (std::size_t i = 0; i < numel; ++i) {
      auto sign = static_cast<std::int8_t>(message[i]);
      if (sign < -1 || sign > 1) refuse_message(kind, "has a sign that is none of −1, 0 and 1");
      signs[i] = sign;
    }
    return signs;
  }
  auto words = read_values<std::uint32_t>(message, 0, message.size() / 4);
  const std::size_t columns = words.size();
  if (layout == SignLayout::words) {
    kernels().signs(words.data(), numel, signs.data());
    if (numel % 32 != 0 && (words.back() & (0xffffffffu >> (numel % 32))) != 0)
      refuse_message(kind, "is not filled with zeros");
    return signs;
  }
  kernels().signs_by_row(words.data(), numel, signs.data());
  for (std::size_t i = numel; i < 32 * columns; ++i)
    if (words[i % columns] & (0x80000000u >> (i / columns))) refuse_message(kind, "is not filled with zeros");
  return signs;
}

}  // namespace traincast
