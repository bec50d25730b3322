// Stochastic rounding: up with the probability of what is cut off, so that the expectation is exact.
#pragma once

#include <cstdint>

#include "compressors/draws.hpp"

namespace traincast {

/// `level` ≥ 0 rounded to one of the two whole numbers beside it.
inline std::uint32_t round_up_or_down(float level, std::uint32_t draw) {
  auto below = static_cast<std::uint32_t>(level);
  return below + (unit_interval(draw) < level - static_cast<float>(below) ? 1 : 0);
}

}  // namespace traincast
