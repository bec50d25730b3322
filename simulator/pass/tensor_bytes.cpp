#include "simulator/pass/tensor_bytes.hpp"

#include <algorithm>

namespace traincast {

void note_tensor_bytes(StepRecord& step, const Bucket& unit, std::span<const Phase> phases,
                       std::uint32_t learners) {
  if (unit.tensors.size() != 1) return;
  std::size_t id = unit.tensors.front().id;
  step.tensor_bytes.resize(std::max(step.tensor_bytes.size(), id + 1), kUnknownBytes);
  Bytes& bytes = step.tensor_bytes[id];
  bytes = 0;
  for (const Phase& phase : phases)
    if (phase.op) bytes += phase.op->contributed(learners);
}

}  // namespace traincast
