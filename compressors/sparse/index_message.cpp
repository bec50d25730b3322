#include "compressors/sparse/index_message.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "base/error.hpp"

namespace traincast {

namespace {

void expect_size(std::span<const std::byte> message, std::uint64_t size) {
  if (message.size() != size)
    throw InputError("index message has " + std::to_string(message.size()) + " bytes, not " +
                     std::to_string(size));
}

unsigned bits_for(std::uint64_t chunk) { return static_cast<unsigned>(std::bit_width(chunk - 1)); }

std::uint64_t packed_bytes(std::uint64_t count, std::uint64_t chunk) {
  return (count * bits_for(chunk) + 7) / 8;
}

}  // namespace

Message plain_indices(std::span<const Index> indices) {
  auto bytes = std::as_bytes(indices);
  return {bytes.begin(), bytes.end()};
}

std::vector<Index> read_plain_indices(std::span<const std::byte> message, std::uint64_t count,
                                      std::uint64_t numel) {
  expect_size(message, 4 * count);
  std::vector<Index> indices(count);
  if (count > 0) std::memcpy(indices.data(), message.data(), message.size());
  for (std::size_t j = 0; j < count; ++j)
    if (indices[j] >= numel || (j > 0 && indices[j] <= indices[j - 1]))
      throw InputError("index message: index " + std::to_string(indices[j]) + " at place " +
                       std::to_string(j) + " is not ascending below " + std::to_string(numel));
  return indices;
}

Message packed_indices(std::span<const Index> indices, std::uint64_t chunk) {
  unsigned width = bits_for(chunk);
  Message message;
  message.reserve(packed_bytes(indices.size(), chunk));
  std::uint64_t pending = 0;  // at most 7 bits left over and 32 new ones
  unsigned held = 0;
  for (std::size_t j = 0; j < indices.size(); ++j) {
    pending |= (indices[j] - j * chunk) << held;
    for (held += width; held >= 8; held -= 8, pending >>= 8) message.push_back(std::byte(pending & 0xff));
  }
  if (held > 0) message.push_back(std::byte(pending));
  return message;
}

std::vector<Index> read_packed_indices(std::span<const std::byte> message, std::uint64_t chunk,
                                       std::uint64_t numel) {
  std::uint64_t count = numel / chunk + (numel % chunk != 0);
  expect_size(message, packed_bytes(count, chunk));
  unsigned width = bits_for(chunk);
  std::vector<Index> indices(count);
  std::uint64_t pending = 0;
  unsigned held = 0;
  std::size_t next = 0;
  for (std::size_t j = 0; j < count; ++j) {
    for (; held < width; held += 8) pending |= std::to_integer<std::uint64_t>(message[next++]) << held;
    std::uint64_t place = pending & ((std::uint64_t{1} << width) - 1);
    pending >>= width;
    held -= width;
    if (place >= std::min(chunk, numel - j * chunk))
      throw InputError("index message: place " + std::to_string(place) + " lies outside chunk " +
                       std::to_string(j));
    indices[j] = static_cast<Index>(j * chunk + place);
  }
  if (pending != 0) throw InputError("index message: the last byte is not filled with zeros");
  return indices;
}

}  // namespace traincast
