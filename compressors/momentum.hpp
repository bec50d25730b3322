// Momentum at the learners, before anything is compressed.
#pragma once

#include <memory>
#include <vector>

#include "compressors/compressor.hpp"

namespace traincast {

struct MomentumRule {
  enum class Kind {
    averaged,    ///< m ← f·m + (1 − f)·g, m is sent (Signum)
    heavy_ball,  ///< m ← f·m + g, m is sent
    nesterov,    ///< m ← f·m + g, g + f·m is sent (BytePS)
  } kind = Kind::heavy_ball;
  float factor = 0.9f;
};

/// One unit's momenta by learner, as a source in front of another: a learner's momentum moves with its first
/// read of a step.
class Momentum {
 public:
  Momentum(MomentumRule rule, std::uint32_t learners, std::uint64_t numel);
  ~Momentum();
  Momentum(Momentum&&) noexcept;
  /// What learners send in this step; lives as long as `gradients` and this.
  const GradientSource& over(const GradientSource& gradients);
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A method whose learners read their momentum in place of the gradient.
std::unique_ptr<Compressor> make_with_momentum(std::unique_ptr<Compressor> method, MomentumRule rule);

}  // namespace traincast
