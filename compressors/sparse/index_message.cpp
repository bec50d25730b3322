#include "compressors/sparse/index_message.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "compressors/bits.hpp"

namespace traincast {

namespace {

void expect_size(std::span<const std::byte> message, std::uint64_t size) {
  if (message.size() != size)
    throw InputError("index message has " + std::to_string(message.size()) + " bytes, not " +
                     std::to_string(size));
}

std::uint64_t packed_bytes(std::uint64_t count, std::uint64_t chunk) {
  return bytes_of_bits(count * bits_for(chunk));
}

}  // namespace

Message packed_indices(std::span<const Index> indices, std::uint64_t chunk) {
  Message message;
  message.reserve(packed_bytes(indices.size(), chunk));
  LowBitWriter bits(message);
  for (std::size_t j = 0; j < indices.size(); ++j)
    bits.put(static_cast<std::uint32_t>(indices[j] - j * chunk), bits_for(chunk));
  bits.finish();
  return message;
}

std::vector<Index> read_packed_indices(std::span<const std::byte> message, std::uint64_t chunk,
                                       std::uint64_t numel) {
  std::uint64_t count = numel / chunk + (numel % chunk != 0);
  expect_size(message, packed_bytes(count, chunk));
  std::vector<Index> indices(count);
  LowBitReader bits(message);
  for (std::size_t j = 0; j < count; ++j) {
    std::uint64_t place = bits.get(bits_for(chunk));
    if (place >= std::min(chunk, numel - j * chunk))
      throw InputError("index message: place " + std::to_string(place) + " lies outside chunk " +
                       std::to_string(j));
    indices[j] = static_cast<Index>(j * chunk + place);
  }
  if (!bits.filled_with_zeros()) throw InputError("index message: the last byte is not filled with zeros");
  return indices;
}

}  // namespace traincast
