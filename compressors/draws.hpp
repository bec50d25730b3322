// Random numbers by place, for methods that draw one number per element: the draw of a place is a pure
// function of the key and the place, whatever else is drawn, so vectors can be walked in any pieces.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.hpp"

namespace traincast {

/// Draws of 32 bits. Abstract, so that a test puts its own in.
class Draws {
 public:
  virtual ~Draws() = default;
  /// The draws of places first, first + 1, …
  virtual void fill(std::uint64_t first, std::span<std::uint32_t> into) const = 0;

  std::uint32_t at(std::uint64_t place) const {
    std::uint32_t draw;
    fill(place, {&draw, 1});
    return draw;
  }
};

/// A 32-bit mixing function with a key before it and one in its middle, nine operations on 32-bit lanes
/// (Philox needs wide products, which vector units lack). For dithering, not for cryptography; equal keys and
/// places give equal draws on every machine. Upper bits are the better ones.
class KeyedDraws final : public Draws {
 public:
  explicit KeyedDraws(const StreamKey& key);
  void fill(std::uint64_t first, std::span<std::uint32_t> into) const override;

 private:
  std::uint32_t keys_[4];
};

/// Another's draws from a place on: what a part of a vector has.
class ShiftedDraws final : public Draws {
 public:
  ShiftedDraws(const Draws& draws, std::uint64_t begin) : draws_(draws), begin_(begin) {}
  void fill(std::uint64_t first, std::span<std::uint32_t> into) const override {
    draws_.fill(begin_ + first, into);
  }

 private:
  const Draws& draws_;
  std::uint64_t begin_;
};

/// A draw as a number in [0, 1), exact in a float: its upper 24 bits.
inline float unit_interval(std::uint32_t draw) { return static_cast<float>(draw >> 8) * 0x1p-24f; }

/// Calls f(place, draw) for places 0 … count−1, drawing block by block.
template <class F>
void for_each_draw(const Draws& draws, std::uint64_t count, F&& f) {
  constexpr std::uint64_t kBlock = 1024;
  std::uint32_t block[kBlock];
  for (std::uint64_t begin = 0; begin < count; begin += kBlock) {
    std::uint64_t size = count - begin < kBlock ? count - begin : kBlock;
    draws.fill(begin, {block, size});
    for (std::uint64_t i = 0; i < size; ++i) f(begin + i, block[i]);
  }
}

}  // namespace traincast
