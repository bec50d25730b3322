// One run of training with the method in the loop: the curve of its quality, and what every step sent.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/training/learner_world.hpp"
#include "simulator/training/training_algorithms.hpp"

namespace traincast {

struct Evaluated {
  std::uint64_t step = 0;     ///< steps done
  std::uint64_t of_step = 0;  ///< after which the model that is evaluated came about
  std::uint64_t uploads = 0;  ///< of all learners so far
  std::uint64_t batches = 0;  ///< that each learner has taken, of the workload's size
  std::uint64_t batch = 1;    ///< how many of these the last step took as one
  double learners_loss = 0;   ///< mean over learners and the steps since the last evaluation
  Evaluation held_out;
  Similarity similarity{};  ///< after the last step, where something was sent in it
};

struct Divergence {
  std::uint64_t step = 0;  ///< that could not be done
  std::string cause;
};

struct TrainingRun {
  std::uint64_t seed = 0;
  ExchangeRecord exchange;  ///< of the steps that were done
  std::vector<Evaluated> curve;
  std::optional<Divergence> divergence;
  std::vector<TrainedLayer> layers;
};

/// The learners: of traincast-capture, or whatever else answers for them.
using MakeWorld = std::function<std::unique_ptr<World>(WorldOptions)>;

struct TrainingPlace {
  std::string program;  ///< path of traincast-capture
  MakeWorld make_world = [](WorldOptions options) {
    return std::make_unique<LearnerWorld>(std::move(options));
  };
  std::filesystem::path checkpoint;  ///< folder that exists; empty: none is kept
  double checkpoint_every_s = 0;     ///< at evaluations, when so long has passed since the one before
  unsigned threads = 1;
  std::function<void(std::uint64_t batches_done)> progress;
};

/// Trains as scenario.training says, from scenario.seed. With a folder for checkpoints, a run that was
/// interrupted goes on from its last one, and gives the same to the byte. Throws SimulationError where no
/// step could be done at all.
TrainingRun train(const Scenario& scenario, const std::vector<TensorInfo>& layers,
                  const TrainingPlace& place);

}  // namespace traincast
