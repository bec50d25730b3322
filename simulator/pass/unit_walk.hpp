// One unit of a method's tensors, walked through the steps of a trace.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/pass/gradient_sums.hpp"
#include "simulator/pass/unit_pass.hpp"

namespace traincast {

/// The method's way of working by step, numbered in order of appearance.
std::vector<std::uint32_t> regimes_of(const Compressor& compressor, const GradientTrace& trace,
                                      std::size_t steps);

/// ‖gradient‖ of the whole model by step and learner; empty for methods that need none.
using GradientNorms = std::vector<std::vector<double>>;
GradientNorms gradient_norms(const Compressor& compressor, const GradientTrace& trace, std::size_t steps,
                             std::uint32_t learners);

/// Steps as a method sees them, but for its learners.
class StepsOf {
 public:
  explicit StepsOf(const GradientTrace& trace);
  Step operator()(std::size_t s, std::span<const LearnerId> learners) const;

 private:
  std::vector<std::uint64_t> steps_;
  double learning_rate_ = 0, epoch_per_step_ = 0;
};

class UnitWalk {
 public:
  UnitWalk(const Scenario& scenario, const GradientTrace& trace, const Bucket& unit,
           const GradientNorms& norms, std::uint32_t learners, Memories memories);

  /// The next step, and how far what is applied is from the mean gradient.
  UnitStep step(std::size_t s, GradientSums& gradients);
  /// The next step, for its times alone.
  UnitStep timed_step(std::size_t s);

 private:
  Step begin(std::size_t s) const;

  const GradientTrace& trace_;
  const Bucket& unit_;
  const GradientNorms& gradient_norms_;
  StepsOf step_of_;
  std::vector<LearnerId> ids_;
  UnitPass pass_;
};

}  // namespace traincast
