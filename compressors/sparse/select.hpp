// Which entries of a vector are the largest: exact, and the same on every machine. Magnitudes are compared as
// the bits of |x|, which order floats as their values do. NaN must have been refused before.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

/// The k entries of largest magnitude (all, where there are no more than k), by ascending index. Of equal
/// magnitudes the lower index wins.
std::vector<Index> largest(std::span<const float> values, std::uint64_t k);

/// The entry of largest magnitude in every chunk of `chunk` entries (the last may be shorter); of equal
/// magnitudes the lower index. One index per chunk, ascending.
std::vector<Index> largest_by_chunk(std::span<const float> values, std::uint64_t chunk);

}  // namespace traincast
