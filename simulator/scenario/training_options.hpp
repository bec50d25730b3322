// Training with the method in the loop, as a scenario asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/catalog.hpp"
#include "workloads/layer_factors.hpp"
#include "workloads/workload.hpp"

namespace traincast {

enum class TrainingKind { sync_sgd, local_sgd, sasg, lasg, dad, edad, rank_dad };

/// Of distributed auto-differentiation: what learners' passes leave of their layers. Nothing for the others.
std::optional<FactorForm> factors_of(TrainingKind kind);

const Catalog<TrainingKind>& training_catalog();
/// Those of an entry that tell how it trains, and not for how long, from which seeds or how it is watched.
std::span<const Parameter> algorithm_parameters(const Entry<TrainingKind>& entry);

struct LoopTraining {
  TrainingKind kind = TrainingKind::sync_sgd;
  std::string name;
  Parameters parameters;
  std::vector<std::uint64_t> seeds;
  /// Accuracies, rising, of which the report says when they were first reached.
  std::vector<double> targets;
  /// Of the workload.
  double learning_rate = 0;
  Optimizer optimizer;
  RateSchedule schedule;
  std::uint64_t batch = 1, samples_per_learner = 1;
  std::uint64_t steps = 1, evaluate_every = 1;

  std::uint64_t steps_per_epoch() const { return samples_per_learner / batch; }
  /// After so many mini-batches of the workload's size: as many as steps, where these do not grow.
  double epoch(std::uint64_t batches) const {
    return static_cast<double>(batches) / static_cast<double>(steps_per_epoch());
  }
  double learning_rate_at(std::uint64_t batches) const { return learning_rate * schedule(batches); }
};

/// `steps` is the scenario's, for where no epochs are given. Throws PlacedError for the first mistake.
LoopTraining read_loop_training(const JsonReader& at, const Parameters& workload, std::uint64_t steps,
                                std::uint64_t seed, std::uint32_t learners);

}  // namespace traincast
