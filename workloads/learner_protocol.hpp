// What traincast asks of the learners that traincast-capture serves: questions and answers as plain values,
// tensors as rows of the shared memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/exchange.hpp"
#include "base/serial.hpp"
#include "workloads/layer_factors.hpp"

namespace traincast {

inline std::uint64_t parameters_of(std::span<const TensorInfo> layers) {
  std::uint64_t all = 0;
  for (const TensorInfo& layer : layers) all += layer.numel();
  return all;
}

/// A row holds one number for each parameter of the model, tensor by tensor in the order of definition; rows
/// begin at multiples of 64 bytes.
constexpr std::uint64_t row_floats(std::uint64_t parameters) { return (parameters + 15) / 16 * 16; }

enum class LearnerQuestion : std::uint32_t {
  initial,    ///< row → writes the initial parameters there
  gradients,  ///< passes → each one's mean loss over its mini-batch
  evaluate,   ///< row, samples → Evaluation over so many held-out samples
  factors,    ///< form, passes with factors → losses; the gradients are written too
  multiply,   ///< form, samples of a learner, row of the parameters, row for the gradient, where each
              ///< learner's factors begin → writes the mean gradient of the parameters that have factors
  describe,   ///< → manifest of this training, as JSON: workload, optimizer, data, versions, device
  apply,      ///< step, row of the mean gradient, row → the dense trajectory's next parameters there; every
              ///< step once, in their order
  memory,     ///< → ProcessMemory
};

/// Bytes of the process that computes gradients, with the rows.
struct ProcessMemory {
  double expected = 0;  ///< at most, said before it began; 0 where a CUDA device computes
  double peak = 0;      ///< so far
};

/// Forward and backward of one learner over one of its mini-batches.
struct LearnerPass {
  LearnerId learner = 0;
  std::uint32_t at = 0;       ///< row of the parameters
  std::uint32_t into = 0;     ///< row for the gradient
  std::uint32_t batches = 1;  ///< mini-batches that are taken as one
  std::uint64_t batch = 0;    ///< the first of them; of the learner's, counted from the first of training
};

/// The same, with a place for the factors of its layers: numbers of the shared memory, counted from its
/// first.
struct LearnerFactorPass {
  LearnerPass pass;
  std::uint64_t factors = 0;
};

struct Evaluation {
  double loss = 0;      ///< mean over samples
  double accuracy = 0;  ///< share of labels that have the highest score
};

}  // namespace traincast
