// What the layer of a tensor computes and moves for one sample, from which an accelerator's description makes
// a timeline.
#pragma once

#include <cstdint>

namespace traincast {

struct LayerCost {
  double flops = 0;  ///< forward; a multiplication and an addition are two; backward has twice as many
  double bytes = 0;  ///< forward: activations read and written, weights not counted
  double backward_bytes = 0;     ///< likewise, with the gradients of activations
  std::uint32_t operations = 1;  ///< kernels that wait for each other
};

}  // namespace traincast
