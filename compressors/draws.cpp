#include "compressors/draws.hpp"

#include "compressors/kernels/kernels.hpp"

namespace traincast {

KeyedDraws::KeyedDraws(const StreamKey& key) {
  RandomStream random(key);
  for (std::uint32_t& word : keys_) word = random.next();
}

void KeyedDraws::fill(std::uint64_t first, std::span<std::uint32_t> into) const {
  // Places beyond 2^32 have other keys; a piece that crosses the border is drawn in two.
  std::uint64_t border = 0x100000000 - (first & 0xffffffff);
  if (into.size() > border) {
    fill(first, into.first(border));
    return fill(first + border, into.subspan(border));
  }
  const auto page = static_cast<std::uint32_t>(first >> 32);
  const std::uint32_t before = keys_[0] ^ (keys_[2] * page), between = keys_[1] ^ (keys_[3] * page);
  kernels().draws(static_cast<std::uint32_t>(first), before, between, into.data(), into.size());
}

}  // namespace traincast
