// Top-k whose places are drawn instead of selected: for what-ifs about messages that grow on the way, at
// sizes for which no gradients are at hand.
#pragma once

#include <span>

#include "simulator/pass/compression_pass.hpp"

namespace traincast {

/// One step of top-k, summed in flight: every learner's k places are drawn, a share `overlap` of them from
/// one draw that all learners have in common, the others evenly and independently. Errors are left undefined.
ExchangeRecord generated_exchange(const Scenario& scenario, std::span<const TensorInfo> layers,
                                  double density, double overlap);

}  // namespace traincast
