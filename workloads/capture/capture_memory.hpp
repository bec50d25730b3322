// How much memory training takes here, said before it starts.
#pragma once

#include <cstdint>

#include "workloads/models/model.hpp"

namespace traincast {

/// Bytes, each an upper estimate.
struct CaptureMemory {
  double program = 0;      ///< with its data, LibTorch, its kernels and buffers
  double state = 0;        ///< parameters, moments of the optimizer, the mean gradient and its sums
  double gradients = 0;    ///< of the learners that are added at once
  double activations = 0;  ///< of those computed at once, with the workspace of the operations
  double total() const { return program + state + gradients + activations; }
};

/// It does not depend on the number of learners: gradients go into the trace as they come. `at_once`:
/// learners computed side by side, which hold so many `gradients` together, in `program` bytes of a process
/// that has its data and has computed nothing yet.
CaptureMemory capture_memory(const Model& model, std::uint64_t batch, unsigned at_once, unsigned gradients,
                             double program);

}  // namespace traincast
