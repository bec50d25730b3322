// Which entries of a vector are the largest: exact, and the same on every machine. Magnitudes are compared as
// the bits of |x|, which order floats as their values do. NaN must have been refused before.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

/// The k entries of largest magnitude (all, where there are no more than k), by ascending index. Of equal
/// magnitudes the lower index wins.
std::vector<Index> largest(std::span<const float> values, std::uint64_t k);

/// The same of values that are still being made: `make(first, count)` makes those from `first` on, piece by
/// piece and in order, right before they are looked at, so that making them costs no pass of its own; `at(i)`
/// tells before that what values[i] will be.
std::vector<Index> largest_made(std::span<const float> values, std::uint64_t k,
                                const std::function<float(std::size_t)>& at,
                                const std::function<void(std::size_t first, std::size_t count)>& make);

/// The entry of largest magnitude in every chunk of `chunk` entries (the last may be shorter); of equal
/// magnitudes the lower index. One index per chunk, ascending.
std::vector<Index> largest_by_chunk(std::span<const float> values, std::uint64_t chunk);

/// The entries of at least this magnitude, by ascending index.
std::vector<Index> at_least(std::span<const float> values, float threshold);

/// Two magnitudes between which a threshold for k entries lies.
struct MagnitudeBracket {
  float above = std::numeric_limits<float>::infinity();  ///< at most k entries reach it
  std::uint64_t count = 0;                               ///< how many do
  float below = 0;                                       ///< more than k reach it
};

/// Bisection between the mean magnitude and the largest (Shi et al. 2021, Algorithm 1): of the thresholds
/// tried, the one that most entries, but no more than k, reach, and the largest that more reach.
MagnitudeBracket bisect_magnitude(std::span<const float> values, std::uint64_t k, unsigned iterations);

}  // namespace traincast
