// What training with the method in the loop found: curves of quality over steps, simulated time and bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace traincast {

struct LearningPoint {
  std::uint64_t steps = 0;        ///< done
  std::uint64_t model_steps = 0;  ///< after which the evaluated model came about: fewer between averages
  double epoch = 0;
  std::uint64_t batch = 0;  ///< samples of a learner's mini-batch in the last step; before any, in the first
  double seconds = 0;  ///< simulated, of all steps so far on their slowest learners; evaluating takes none
  double bytes = 0;    ///< that a learner has sent so far, in the mean over learners
  std::uint64_t uploads = 0;  ///< messages of learners so far: one each where all send in every step
  std::optional<double> learners_loss{};       ///< mean over learners and the steps since the point before
  double loss = 0, accuracy = 0;               ///< on held-out samples
  std::optional<double> memory_distance{};     ///< cosine distance of two learners' memories, mean over pairs
  std::optional<double> selection_distance{};  ///< normalised Hamming distance of selections and true top-k
};

struct TrainingDivergence {
  std::uint64_t step = 0;  ///< that could not be done, counted from 0
  std::string cause;
};

/// Of a layer for which something else is sent than its gradient.
struct LearningLayer {
  std::string name;
  double bytes = 0;  ///< that a learner contributes in a step
  double gradient_bytes = 0;
  std::vector<double> effective_rank;  ///< by epoch; empty where none was found
};

struct SeedCurve {
  std::uint64_t seed = 0;
  std::vector<LearningPoint> points;  ///< the first before any step
  std::optional<TrainingDivergence> divergence;
  std::vector<LearningLayer> layers;  ///< in the model's order; empty where gradients are sent

  /// The first evaluation with at least this accuracy; null where there was none, or the run diverged.
  const LearningPoint* reached(double accuracy) const;
};

/// Over seeds: the sample's mean and deviation (by n − 1; 0 of one seed), and the mean's standard error.
struct OverSeeds {
  std::size_t seeds = 0;
  double mean = 0, deviation = 0, standard_error = 0;
};
OverSeeds over_seeds(const std::vector<double>& values);

struct TrainingResult {
  std::string algorithm;
  std::vector<double> targets;  ///< accuracies
  std::vector<SeedCurve> curves;

  std::size_t diverged() const;
  /// Of the runs that did not diverge, at their end.
  OverSeeds accuracy() const;
  OverSeeds loss() const;
  /// Of the runs that reached this accuracy and did not diverge, what it took.
  OverSeeds to_reach(double accuracy, double LearningPoint::*what) const;
};

Json to_json(const TrainingResult& result);

}  // namespace traincast
