// The training algorithms of the catalog.
#pragma once

#include <memory>

#include "simulator/scenario/scenario.hpp"
#include "simulator/training/training_algorithm.hpp"

namespace traincast {

std::unique_ptr<TrainingAlgorithm> make_training_algorithm(const Scenario& scenario,
                                                           std::span<const TensorInfo> layers,
                                                           unsigned threads);

std::unique_ptr<TrainingAlgorithm> make_sync_sgd(const Scenario& scenario, std::span<const TensorInfo> layers,
                                                 unsigned threads);

std::unique_ptr<TrainingAlgorithm> make_local_sgd(const Scenario& scenario,
                                                  std::span<const TensorInfo> layers, unsigned threads);

std::unique_ptr<TrainingAlgorithm> make_adaptive_uploads(const Scenario& scenario,
                                                         std::span<const TensorInfo> layers,
                                                         unsigned threads);

/// dad, edad and rank_dad.
std::unique_ptr<TrainingAlgorithm> make_auto_differentiation(const Scenario& scenario,
                                                             std::span<const TensorInfo> layers,
                                                             unsigned threads);

/// Reads as many numbers as there is room for. Throws InputError where there are others.
void load_into(std::span<float> values, Reader& reader);

/// Training cannot go on: a result, not an error.
struct Diverged {
  std::string cause;
};

/// Throws Diverged where a loss is not finite, or one of the gradients that belong to them.
void require_finite(std::span<const double> losses, std::span<const Pass> passes,
                    std::span<const TensorInfo> layers);

double mean_of(std::span<const double> values);

}  // namespace traincast
