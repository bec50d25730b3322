// Seconds of computing and of codecs from an accelerator's description: nothing is measured.
#pragma once

#include <cstdint>
#include <vector>

#include "platforms/accelerators/accelerator.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "workloads/timeline/layer_cost.hpp"
#include "workloads/timeline/timeline.hpp"

namespace traincast {

/// Forward goes through the layers in order; backward, which has two operations a layer, from the last to the
/// first; then SGD with momentum updates tensor by tensor.
ComputeTimeline accelerator_compute(const Accelerator& accelerator, const std::vector<TensorInfo>& layers,
                                    const std::vector<LayerCost>& costs, std::uint64_t batch);

/// The work that the method states, step by step; a method of variable size also waits, before each
/// collective that carries such messages, until the host knows their sizes.
CodecSeconds accelerator_codec(const Scenario& scenario, const ExchangeRecord& record);

}  // namespace traincast
