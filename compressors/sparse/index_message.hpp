// Index sets as bytes: ScaleCom's leader sends one to everybody.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/group.hpp"

namespace traincast {

/// Four bytes an index.
Message plain_indices(std::span<const Index> indices);
/// Throws InputError where these are not `count` ascending indices below `numel`.
std::vector<Index> read_plain_indices(std::span<const std::byte> message, std::uint64_t count,
                                      std::uint64_t numel);

/// One index per chunk of `chunk` elements: its place in the chunk, in ⌈log2 chunk⌉ bits, lowest bit first,
/// without gaps; the last byte is filled with zeros.
Message packed_indices(std::span<const Index> indices, std::uint64_t chunk);
/// Throws InputError where the length is not that of `numel` elements, a place lies outside its chunk, or the
/// fill is not zero.
std::vector<Index> read_packed_indices(std::span<const std::byte> message, std::uint64_t chunk,
                                       std::uint64_t numel);

}  // namespace traincast
