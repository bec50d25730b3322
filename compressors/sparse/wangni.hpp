// Probabilities of Wangni's sparsification.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace traincast {

struct KeepProbabilities {
  double scale = 0;  ///< an entry is kept with probability min(1, scale · |g|)
  double of(float value) const { return std::min(1.0, scale * std::fabs(static_cast<double>(value))); }
};

/// Probabilities whose sum comes to `density` · numel in up to `iterations` rounds.
KeepProbabilities keep_probabilities(std::span<const float> values, double density, unsigned iterations);

}  // namespace traincast
