// Momentum at the learners, before anything is compressed.
#pragma once

#include <memory>
#include <vector>

#include "compressors/compressor.hpp"

namespace traincast {

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

  /// One momentum moved on by a gradient, which becomes what is to be sent.
  static void move(const MomentumRule& rule, std::span<float> momentum, std::span<float> gradient);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A method whose learners read their momentum in place of the gradient.
std::unique_ptr<Compressor> make_with_momentum(std::unique_ptr<Compressor> method, MomentumRule rule);

}  // namespace traincast
