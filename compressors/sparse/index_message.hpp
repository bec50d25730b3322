// Index sets with one index in every chunk, as ScaleCom's leader chooses them: places in their chunks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/group.hpp"

namespace traincast {

/// One index per chunk of `chunk` elements: its place in the chunk, in ⌈log2 chunk⌉ bits, lowest bit first,
/// without gaps; the last byte is filled with zeros.
Message packed_indices(std::span<const Index> indices, std::uint64_t chunk);
/// Throws InputError where the length is not that of `numel` elements, a place lies outside its chunk, or the
/// fill is not zero.
std::vector<Index> read_packed_indices(std::span<const std::byte> message, std::uint64_t chunk,
                                       std::uint64_t numel);

}  // namespace traincast
