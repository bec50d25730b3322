#include "simulator/training/training_algorithms.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace traincast {

std::unique_ptr<TrainingAlgorithm> make_training_algorithm(const Scenario& scenario,
                                                           std::span<const TensorInfo> layers,
                                                           unsigned threads) {
  switch (scenario.training->kind) {
    case TrainingKind::local_sgd: return make_local_sgd(scenario, layers, threads);
    case TrainingKind::sasg:
    case TrainingKind::lasg: return make_adaptive_uploads(scenario, layers, threads);
    case TrainingKind::dad:
    case TrainingKind::edad:
    case TrainingKind::rank_dad: return make_auto_differentiation(scenario, layers, threads);
    case TrainingKind::sync_sgd: break;
  }
  return make_sync_sgd(scenario, layers, threads);
}

void load_into(std::span<float> values, Reader& reader) {
  std::vector<float> saved = reader.get_all<float>();
  if (saved.size() != values.size()) throw InputError("saved state is of another model");
  std::ranges::copy(saved, values.begin());
}

void require_finite(std::span<const double> losses, std::span<const Pass> passes,
                    std::span<const TensorInfo> layers) {
  for (std::size_t i = 0; i < passes.size(); ++i) {
    std::string learner = "learner " + std::to_string(passes[i].learner);
    if (!std::isfinite(losses[i])) throw Diverged{"the loss of " + learner + " is not finite"};
    std::span<const float> left = passes[i].into;
    for (const TensorInfo& layer : layers) {
      // A sum of finite floats in double is finite, and any other number makes it NaN or infinite.
      double sum = 0;
      for (float value : left.first(layer.numel())) sum += static_cast<double>(value);
      if (!std::isfinite(sum))
        throw Diverged{"the gradient of '" + layer.name + "' at " + learner + " is not finite"};
      left = left.subspan(layer.numel());
    }
  }
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace traincast
