// Random subsets of a vector's places.
#pragma once

#include <cstdint>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/draws.hpp"

namespace traincast {

/// k different places below numel, each subset as likely as any other, rising. Floyd's algorithm (Bentley and
/// Floyd 1987): k draws, whatever numel.
std::vector<Index> random_places(std::uint64_t numel, std::uint64_t k, const Draws& draws);

/// A draw below `bound` (at most 2^32) from the 64 bits of places 2·place and 2·place + 1; its bias is
/// bound / 2^64.
std::uint64_t draw_below(const Draws& draws, std::uint64_t place, std::uint64_t bound);

}  // namespace traincast
