// What codecs have in common that give every element a code.
#pragma once

#include <algorithm>

#include "compressors/codec.hpp"

namespace traincast {

class DenseCodec : public PieceCodec {
 public:
  /// `bits` an element; `passes` over the vector to find a scale before encoding.
  explicit DenseCodec(unsigned bits, unsigned passes = 1) : bits_(bits), passes_(passes) {}

  bool size_follows_from_shape() const override { return true; }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    std::vector<Work> work;
    if (passes_ > 0) work.push_back({Primitive::reduction, {numel, 0, 0}, passes_});
    work.push_back({Primitive::bit_pack, {numel, bits_, 0}});
    return work;
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::bit_pack, {numel, bits_, 0}, learners}};
  }

 protected:
  unsigned bits() const { return bits_; }

 private:
  unsigned bits_, passes_;
};

/// A piece of elements from `begin` on in runs that lie in one bucket each: f(bucket, first, end), places in
/// the piece.
template <class F>
void for_each_run(std::uint64_t begin, std::size_t count, std::uint64_t bucket, F&& f) {
  for (std::size_t first = 0, end; first < count; first = end) {
    const std::uint64_t number = (begin + first) / bucket;
    end = static_cast<std::size_t>(std::min<std::uint64_t>(count, (number + 1) * bucket - begin));
    f(number, first, end);
  }
}

/// A scale that was sent: throws InputError where it is negative or no number.
float checked_scale(const char* kind, float scale);

}  // namespace traincast
