// One unit of a method's tensors with its error memories: what learners send for it in a step, and how far
// what is then applied is from the mean gradient.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compressors/error_feedback.hpp"
#include "simulator/pass/compression_pass.hpp"

namespace traincast {

/// What one call of aggregate sees, and the bucket whose collectives it joins.
struct CompressorUnit {
  Bucket seen;
  std::size_t bucket = 0;
};
std::vector<CompressorUnit> make_units(const Compressor& compressor, const std::vector<Bucket>& buckets);

struct UnitStep {
  std::vector<Phase> phases;
  std::vector<PhaseSeconds> seconds;
  StepRecord sums;  ///< without buckets
};

/// Σ over learners.
struct GradientTotals {
  std::vector<double> sum;
  double squares = 0;  ///< ‖gradient‖²
};

class UnitPass {
 public:
  UnitPass(const Scenario& scenario, const Bucket& unit, std::uint32_t learners, Memories memories);

  /// The next step. `totals` are those of `gradients`, which are not read where only their mean counts.
  UnitStep step(const Step& step, const GradientSource& gradients, GradientTotals totals);
  /// The next step, for its times alone.
  UnitStep timed_step(const Step& step, const GradientSource& gradients);

  /// From now on what each learner selects in a step is kept.
  void keep_selections() { feedback_->keep_supports(); }
  /// By learner, in the last step; empty where nothing was selected.
  const std::vector<std::vector<Index>>& selections() const { return selections_; }
  /// Mean over learners of gradient + memory in the last step.
  std::span<const double> mean_input() const { return mean_input_; }
  /// After the last step: one for all where their mean is kept; empty where nothing is remembered.
  std::span<const float> memory(LearnerId learner) const { return feedback_->memory(learner); }

  /// What all learners apply after a step.
  std::span<const float> average() const { return average_; }
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  void begin_statistics(const Step& step, GradientTotals totals, StepRecord& sums);
  void end_statistics(const Step& step, const ContributionRecord& record, StepRecord& sums);

  Bucket unit_;
  std::uint64_t numel_;
  std::uint32_t learners_;
  Memories memories_;
  std::unique_ptr<ErrorFeedback> feedback_;
  std::vector<float> average_;
  std::vector<std::vector<Index>> selections_;
  std::vector<double> mean_gradient_, mean_input_;
  std::vector<double> mean_memory_;  // after the step before; empty where nothing is remembered
};

/// Puts the units of one step together.
class StepAssembly {
 public:
  StepAssembly(std::size_t buckets, std::uint32_t learners) : by_bucket_(buckets), learners_(learners) {}
  void add(const CompressorUnit& unit, UnitStep step);
  StepRecord take();  ///< without a regime

 private:
  std::vector<std::vector<std::vector<Phase>>> by_bucket_;
  std::uint32_t learners_;
  StepRecord record_;
};

/// A method's ways of working, numbered in order of appearance, as a record has them.
class RegimeNumbers {
 public:
  std::uint32_t of(std::uint32_t own);
  void save(Writer& writer) const { writer.put_all(std::span<const std::uint32_t>(seen_)); }
  void load(Reader& reader) { seen_ = reader.get_all<std::uint32_t>(); }

 private:
  std::vector<std::uint32_t> seen_;
};

}  // namespace traincast
