#include "compressors/quantised/rotation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/parameters.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

std::uint64_t block_size(std::uint64_t numel, std::uint64_t block) {
  std::uint64_t whole = std::bit_ceil(std::max<std::uint64_t>(numel, 1));
  return block == 0 ? whole : std::min(block, whole);
}

/// x · scale with random signs; in place where `out` is x.
void flip_signs(std::span<const float> x, const Draws& shared, float scale, float* out) {
  constexpr std::size_t kBlock = 1024;
  std::uint32_t drawn[kBlock];
  for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
    const std::size_t size = std::min(kBlock, x.size() - begin);
    shared.fill(begin, {drawn, size});
    kernels().flip_signs(x.data() + begin, drawn, size, scale, out + begin);
  }
}

/// Not scaled.
void transform(std::span<float> values, std::uint64_t size) {
  for (std::uint64_t begin = 0; begin < values.size(); begin += size)
    kernels().walsh_hadamard(values.data() + begin, size);
}

float scale_of(std::uint64_t size) { return static_cast<float>(1 / std::sqrt(static_cast<double>(size))); }

}  // namespace

std::uint64_t rotated_size(std::uint64_t numel, std::uint64_t block) {
  if (numel == 0) return 0;
  std::uint64_t size = block_size(numel, block);
  return (numel + size - 1) / size * size;
}

std::vector<float> rotated(std::span<const float> values, std::uint64_t block, const Draws& shared) {
  const std::uint64_t size = block_size(values.size(), block);
  std::vector<float> padded(rotated_size(values.size(), block));
  flip_signs(values, shared, 1, padded.data());
  transform(padded, size);
  const float scale = scale_of(size);
  for (float& value : padded) value *= scale;
  return padded;
}

std::vector<float> rotated_back(std::vector<float> values, std::uint64_t numel, std::uint64_t block,
                                const Draws& shared) {
  const std::uint64_t size = block_size(numel, block);
  transform(values, size);
  values.resize(numel);
  flip_signs(values, shared, scale_of(size), values.data());
  return values;
}

std::uint64_t rotation_block(const Parameters& parameters) {
  auto block = static_cast<std::uint64_t>(parameters.count("block"));
  if (block == 0 || std::has_single_bit(block)) return block;
  throw InputError("'block' is " + std::to_string(block) + ", which is no power of two; the next are " +
                   std::to_string(std::bit_floor(block)) + " and " + std::to_string(std::bit_ceil(block)));
}

}  // namespace traincast
