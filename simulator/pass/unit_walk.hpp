// One unit of a method's tensors, walked through the steps: its error memories live only here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compressors/error_feedback.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/pass/gradient_sums.hpp"

namespace traincast {

/// What one call of aggregate sees, and the bucket whose collectives it joins.
struct CompressorUnit {
  Bucket seen;
  std::size_t bucket = 0;
};
std::vector<CompressorUnit> make_units(const Compressor& compressor, const std::vector<Bucket>& buckets);

/// The method's way of working by step, numbered in order of appearance.
std::vector<std::uint32_t> regimes_of(const Compressor& compressor, const TraceReader& trace,
                                      std::size_t steps);

/// ‖gradient‖ of the whole model by step and learner; empty for methods that need none.
using GradientNorms = std::vector<std::vector<double>>;
GradientNorms gradient_norms(const Compressor& compressor, const TraceReader& trace, std::size_t steps,
                             std::uint32_t learners);

/// Steps as a method sees them, but for its learners.
class StepsOf {
 public:
  explicit StepsOf(const TraceReader& trace);
  Step operator()(std::size_t s, std::span<const LearnerId> learners) const;

 private:
  std::vector<std::uint64_t> steps_;
  double learning_rate_ = 0, epoch_per_step_ = 0;
};

struct UnitStep {
  std::vector<Phase> phases;
  std::vector<PhaseSeconds> seconds;
  StepRecord sums;  ///< without buckets
};

class UnitWalk {
 public:
  UnitWalk(const Scenario& scenario, const TraceReader& trace, const Bucket& unit, const GradientNorms& norms,
           std::uint32_t learners, Memories memories);

  /// The next step, and how far what is applied is from the mean gradient.
  UnitStep step(std::size_t s, GradientSums& gradients);
  /// The next step, for its times alone.
  UnitStep timed_step(std::size_t s);

 private:
  Step begin(std::size_t s);
  void begin_statistics(const Step& step, std::size_t s, GradientSums& gradients, StepRecord& sums);
  void end_statistics(const Step& step, const ContributionRecord& record, StepRecord& sums);

  const TraceReader& trace_;
  const Bucket& unit_;
  std::uint64_t numel_;
  std::uint32_t learners_;
  Memories memories_;
  const GradientNorms& gradient_norms_;
  StepsOf step_of_;
  std::unique_ptr<ErrorFeedback> feedback_;
  std::vector<LearnerId> ids_;
  std::vector<float> average_;
  std::vector<double> mean_gradient_, mean_input_;
  std::vector<double> mean_memory_;  // after the step before; empty where nothing is remembered
};

}  // namespace traincast
