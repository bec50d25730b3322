#include "compressors/quantised/rotation.hpp"

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

void flip_signs(std::span<float> values, const Draws& shared) {
  for_each_draw(shared, values.size(), [&](std::uint64_t i, std::uint32_t draw) {
    if (draw >> 31) values[i] = -values[i];
  });
}

void transform(std::span<float> values, std::uint64_t size) {
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
  for (std::uint64_t begin = 0; begin < values.size(); begin += size)
    kernels().walsh_hadamard(values.data() + begin, size);
  for (float& value : values) value *= scale;
}

}  // namespace

std::uint64_t rotated_size(std::uint64_t numel, std::uint64_t block) {
  if (numel == 0) return 0;
  std::uint64_t size = block_size(numel, block);
  return (numel + size - 1) / size * size;
}

std::vector<float> rotated(std::span<const float> values, std::uint64_t block, const Draws& shared) {
  std::vector<float> padded(values.begin(), values.end());
  flip_signs(padded, shared);
  padded.resize(rotated_size(values.size(), block), 0.0f);
  transform(padded, block_size(values.size(), block));
  return padded;
}

std::vector<float> rotated_back(std::vector<float> values, std::uint64_t numel, std::uint64_t block,
                                const Draws& shared) {
  transform(values, block_size(numel, block));
  values.resize(numel);
  flip_signs(values, shared);
  return values;
}

std::uint64_t rotation_block(const Parameters& parameters) {
  auto block = static_cast<std::uint64_t>(parameters.count("block"));
  if (block == 0 || std::has_single_bit(block)) return block;
  throw InputError("'block' is " + std::to_string(block) + ", which is no power of two; the next are " +
                   std::to_string(std::bit_floor(block)) + " and " + std::to_string(std::bit_ceil(block)));
}

}  // namespace traincast
