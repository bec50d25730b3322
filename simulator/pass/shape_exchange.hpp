// What methods send whose messages have sizes that do not depend on values: no gradients, no learners, no
// error.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simulator/pass/compression_pass.hpp"
#include "simulator/pass/gradients.hpp"

namespace traincast {

/// What a method does with a tensor, by the method, error feedback and number of learners, and the tensor's
/// number, kind and shape: the same for any buckets, platform and stack, so that runs over the same tensors
/// share it.
using ShapePhases = std::map<std::pair<std::string, std::string>, std::vector<Phase>>;

/// One step of scenario.compressor for scenario.learners, from tensors' shapes alone: it runs for one learner
/// on numbers of no meaning, and every other learner sends the same sizes. Ratios and traffic follow; errors
/// and build-up do not, and are left undefined. The method must have sizes_follow_from_shape().
ExchangeRecord shape_exchange(const Scenario& scenario, std::span<const TensorInfo> layers,
                              ShapePhases& known);

/// The compression pass over these gradients, or their shapes where they are no more than that.
ExchangeRecord exchange_of(const Scenario& scenario, const Gradients& gradients, unsigned threads,
                           ShapePhases& known);

}  // namespace traincast
