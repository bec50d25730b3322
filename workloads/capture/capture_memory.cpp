#include "workloads/capture/capture_memory.hpp"

#include <algorithm>

namespace traincast {

namespace {

constexpr double kFloat = 4;
// Kernels that oneDNN compiles, OpenBLAS's packed panels, what allocators hold back: measured, for each
// thread and once.
constexpr double kLibraries = 24e6, kLibrariesOfThread = 8e6;

double numel(const Shape& shape) {
  double product = 1;
  for (std::int64_t extent : shape) product *= static_cast<double>(extent);
  return product;
}

/// What queries and keys give, of all heads; 0 for other operations.
double scores(const Operation& operation) {
  const auto* attention = std::get_if<op::Attention>(&operation.kind);
  const auto length = static_cast<double>(operation.result.front());
  return attention ? static_cast<double>(attention->heads) * length * length : 0;
}

/// Floats of one sample that an operation keeps for backward beside its result.
double kept(const Operation& operation) {
  const double result = numel(operation.result);
  if (std::holds_alternative<op::MaxPool>(operation.kind)) return 2 * result;  // places, 64 bits each
  if (std::holds_alternative<op::Dropout>(operation.kind))
    return 2 * result;  // the mask, twice while it is drawn
  // Gates, cells and their tanh, at each place of the sequence.
  if (std::holds_alternative<op::Recurrent>(operation.kind)) return 12 * result;
  if (const auto* attention = std::get_if<op::Attention>(&operation.kind))
    // Weights of each head behind the softmax, and those that dropout leaves with its mask.
    return scores(operation) * (attention->dropout > 0 ? 4 : 2) + 3 * result;
  return 0;
}

}  // namespace

CaptureMemory capture_memory(const Model& model, std::uint64_t batch, unsigned at_once, unsigned gradients,
                             double program) {
  double results = numel(model.input.shape), largest = results;
  for (const Operation& operation : model.operations) {
    const double result = numel(operation.result);
    results += result + kept(operation);
    largest = std::max({largest, result, scores(operation)});
  }
  for (const Loss& loss : model.losses)  // log-softmax and its gradient
    results += 2 * static_cast<double>(loss.rows * loss.classes);
  std::uint64_t widest = 0;  // of one tensor, which the optimizer's expressions copy
  for (const TensorInfo& layer : model.layers) widest = std::max(widest, layer.numel());

  const auto parameters = static_cast<double>(model.parameters());
  // The gradient of a result comes beside that of its input, each also in the order that kernels want.
  constexpr double kInFlight = 4;
  // Of one learner's, what allocators have not given back when the next begins: measured. Where a gradient is
  // kept while others are computed, it may stand in the midst of what was a large block.
  constexpr double kHeldBack = 0.35;
  const double broken = largest * static_cast<double>(gradients - std::min(gradients, at_once));
  return {.program = program + kLibraries + at_once * kLibrariesOfThread,
          .state = parameters * (4 * kFloat + 8) + static_cast<double>(widest) * 2 * kFloat,
          .gradients = gradients * parameters * kFloat,
          .activations = static_cast<double>(batch) * kFloat *
                         ((at_once + kHeldBack) * (results + kInFlight * largest) + broken)};
}

}  // namespace traincast
