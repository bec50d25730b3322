// What the gradients of a trace are like: sizes, how many entries count, how much learners agree.
#pragma once

#include <optional>
#include <vector>

#include "workloads/trace/trace.hpp"

namespace traincast {

/// Of one layer, or of all as one vector g of d entries; means over the steps, and over the learners where
/// each has its own.
struct GradientSummary {
  double norm = 0;          ///< ‖g‖ of a learner
  double norm_of_mean = 0;  ///< ‖mean of the learners' g‖
  double density = 0;       ///< share of entries that are not 0
  /// ‖g‖₁² / (d·‖g‖²): the density of a vector with the same two norms whose entries are all equal or 0. Of
  /// learners whose gradient is not all 0; nothing where there is none.
  std::optional<double> effective_density;
  /// Mean cosine between the gradients of two learners, over all pairs in which none is all 0; nothing where
  /// no step has such a pair.
  std::optional<double> similarity;
};

struct TraceSummary {
  std::vector<GradientSummary> layers;
  GradientSummary model;
};

/// Reads the trace piece by piece, twice; float64 throughout. The numbers do not depend on `threads`. Throws
/// Interrupted where the user asks to stop.
TraceSummary summarise(const TraceReader& trace, unsigned threads);

}  // namespace traincast
