// Algorithms that train with the method in the loop: what the learners apply decides at which parameters the
// next gradients are taken. Synchronous SGD with a compressor is one; others give learners different updates,
// or need old parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "base/serial.hpp"
#include "compressors/compressor.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/training/similarity.hpp"
#include "workloads/learner_protocol.hpp"

namespace traincast {

/// Forward and backward of one learner, at and into vectors of the world.
struct Pass {
  LearnerId learner = 0;
  std::uint64_t batch = 0;  ///< which of the learner's mini-batches, counted from the first of training
  std::span<const float> at;
  std::span<float> into;
  std::uint32_t batches = 1;  ///< mini-batches from there on that are taken as one
};

/// The same, which also leaves the factors of layers' gradients in numbers of the world's room.
struct FactorPass {
  Pass pass;
  std::span<float> factors;
};

/// Learners that tell of their layers more than gradients.
class FactorWorld {
 public:
  virtual ~FactorWorld() = default;
  /// As large as the world was asked to make it.
  virtual std::span<float> room() = 0;
  virtual std::vector<double> factors(FactorForm form, std::span<const FactorPass> passes) = 0;
  /// From each learner's factors of `samples` samples, in the room: the mean gradient of the parameters that
  /// have factors; the others' numbers of `into` stay.
  virtual void multiply(FactorForm form, std::uint64_t samples, std::span<const float> at,
                        std::span<const std::span<const float>> sent, std::span<float> into) = 0;
};

/// The learners as an algorithm sees them. They keep nothing: the same pass gives the same gradient.
class World {
 public:
  virtual ~World() = default;
  virtual std::uint32_t learners() const = 0;
  virtual std::span<const TensorInfo> layers() const = 0;
  /// Vector `i` of those that the world was made with: one number for each parameter, tensor by tensor; zero
  /// at first.
  virtual std::span<float> vector(std::size_t i) = 0;
  virtual void initial(std::span<float> into) = 0;
  /// All of them side by side; each one's mean loss over its mini-batch.
  virtual std::vector<double> gradients(std::span<const Pass> passes) = 0;
  /// On samples that no learner sees.
  virtual Evaluation evaluate(std::span<const float> at, std::uint64_t samples) = 0;
  /// Null where it has no such learners.
  virtual FactorWorld* factored() { return nullptr; }
};

/// What one step did: how far it came, and what was sent and computed for it.
struct TrainedStep {
  double loss = 0;  ///< mean over learners of their mini-batches' losses, before the step
  StepRecord record;
  std::uint64_t uploads = 0;  ///< learners that sent something
};

/// What an algorithm sent for a layer in place of its gradient, and what it found out about it.
struct TrainedLayer {
  std::string name;
  double bytes = 0;           ///< of a learner's message, mean over learners and steps
  double gradient_bytes = 0;  ///< of the gradient in fp32
  /// By epoch, mean over learners and steps; empty where no product was reduced.
  std::vector<double> effective_rank;
};

class TrainingAlgorithm {
 public:
  virtual ~TrainingAlgorithm() = default;
  /// How many vectors of a world with so many learners it uses.
  virtual std::size_t vectors(std::uint32_t learners) const = 0;
  /// Numbers of the room that learners' factors need.
  virtual std::uint64_t room(std::uint32_t) const { return 0; }
  /// Takes the initial parameters; a run that goes on from a saved state calls load() after it.
  virtual void begin(World& world) = 0;
  virtual TrainedStep step(World& world, const Step& step) = 0;
  /// The parameters that would be used if training ended now.
  virtual std::span<const float> parameters() const = 0;
  /// After how many of the steps done they came about.
  virtual std::uint64_t parameters_after(std::uint64_t steps) const { return steps; }
  /// How alike the learners are, after a step in which they sent something.
  virtual Similarity similarity() const { return {}; }
  /// How tensors travel together.
  virtual const std::vector<Bucket>& buckets() const = 0;
  /// Of the steps that were done; empty where gradients are sent.
  virtual std::vector<TrainedLayer> layers() const { return {}; }
  /// All state that outlives a step, so that a run resumes to the byte.
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
};

}  // namespace traincast
