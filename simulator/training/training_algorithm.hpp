// Algorithms that are more than a compressor: they give learners different updates, need old parameters or
// activations, or look at the clock (gossip, Local SGD, SASG, distributed auto-differentiation). They run
// with training in the loop.
#pragma once

#include <cstdint>
#include <span>

#include "base/exchange.hpp"
#include "base/serial.hpp"

namespace traincast {

/// The learners as an algorithm sees them: their parameters and gradients.
class World {
 public:
  virtual ~World() = default;
  virtual std::uint32_t learners() const = 0;
  virtual std::span<const TensorInfo> layers() const = 0;
  virtual std::span<float> parameters(LearnerId learner) = 0;
  /// The gradient of one learner's next mini-batch at the given parameters; the batch stays the same until
  /// advance().
  virtual void gradient(LearnerId learner, std::span<const float> at, std::span<float> into) = 0;
  virtual void advance(LearnerId learner) = 0;
};

/// Simulated time, moved on by what is computed and sent.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual double now_s() const = 0;
  virtual void compute(LearnerId learner, const Work& work) = 0;
  virtual void communicate(const Op& op) = 0;
};

class TrainingAlgorithm {
 public:
  virtual ~TrainingAlgorithm() = default;
  virtual void run(World& world, Clock& clock) = 0;
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
};

}  // namespace traincast
