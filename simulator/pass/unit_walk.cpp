#include "simulator/pass/unit_walk.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/interrupt.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

double square_sum(std::span<const float> values) {
  return kernels().sum_of_squares(values.data(), values.size());
}

// A unit's raw gradients of one step, as recorded. Error feedback takes the time of reading out of the work
// around it.
class RecordedGradient : public GradientSource {
 public:
  RecordedGradient(const TraceReader& trace, std::size_t step, const Bucket& unit)
      : trace_(trace), step_(step), unit_(unit) {}

  void read(LearnerId learner, std::span<float> into) const override {
    std::size_t at = 0;
    for (const TensorInfo& tensor : unit_.tensors) {
      trace_.read(step_, learner, tensor.id, into.subspan(at, tensor.numel()));
      at += tensor.numel();
    }
  }

 private:
  const TraceReader& trace_;
  std::size_t step_;
  const Bucket& unit_;
};

}  // namespace

std::vector<CompressorUnit> make_units(const Compressor& compressor, const std::vector<Bucket>& buckets) {
  if (compressor.coupling() == Coupling::model && buckets.size() > 1)
    throw std::logic_error("a method that sees the whole model got several buckets");
  std::vector<CompressorUnit> units;
  for (std::size_t b = 0; b < buckets.size(); ++b)
    for (Bucket& seen : compressor.units(buckets[b])) units.push_back({std::move(seen), b});
  return units;
}

std::vector<std::uint32_t> regimes_of(const Compressor& compressor, const TraceReader& trace,
                                      std::size_t steps) {
  const StepsOf step_of(trace);
  std::vector<std::uint32_t> seen, all;
  for (std::size_t s = 0; s < steps; ++s) {
    std::uint32_t regime = compressor.regime(step_of(s, {}));
    auto known = std::find(seen.begin(), seen.end(), regime);
    all.push_back(static_cast<std::uint32_t>(known - seen.begin()));
    if (known == seen.end()) seen.push_back(regime);
  }
  return all;
}

GradientNorms gradient_norms(const Compressor& compressor, const TraceReader& trace, std::size_t steps,
                             std::uint32_t learners) {
  GradientNorms norms;
  if (!compressor.needs_gradient_norms()) return norms;
  norms.assign(steps, std::vector<double>(learners, 0.0));
  std::vector<float> gradient;
  for (std::size_t s = 0; s < steps; ++s)
    for (LearnerId learner = 0; learner < learners; ++learner) {
      throw_if_interrupted();
      double square = 0;
      for (const TensorInfo& layer : trace.manifest().layers) {
        gradient.resize(layer.numel());
        trace.read(s, learner, layer.id, gradient);
        square += square_sum(gradient);
      }
      norms[s][learner] = std::sqrt(square);
    }
  return norms;
}

StepsOf::StepsOf(const TraceReader& trace) : steps_(trace.manifest().steps) {
  const Manifest& manifest = trace.manifest();
  learning_rate_ = manifest.optimizer.at("learning_rate").number();
  epoch_per_step_ = manifest.data.at("batch").number() / manifest.data.at("samples_per_learner").number();
}

Step StepsOf::operator()(std::size_t s, std::span<const LearnerId> learners) const {
  return {steps_[s], static_cast<double>(steps_[s]) * epoch_per_step_, learning_rate_, learners, {}};
}

UnitWalk::UnitWalk(const Scenario& scenario, const TraceReader& trace, const Bucket& unit,
                   const GradientNorms& norms, std::uint32_t learners, Memories memories)
    : trace_(trace),
      unit_(unit),
      numel_(unit.numel()),
      learners_(learners),
      memories_(memories),
      gradient_norms_(norms),
      step_of_(trace) {
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  ErrorRule rule = error_rule_of(scenario, *compressor, unit);
  feedback_ = std::make_unique<ErrorFeedback>(std::move(compressor), rule, learners_, numel_, memories_,
                                              scenario.seed);
  ids_.resize(learners_);
  std::iota(ids_.begin(), ids_.end(), 0u);
  average_.resize(numel_);
}

Step UnitWalk::begin(std::size_t s) {
  throw_if_interrupted();
  Step step = step_of_(s, ids_);
  if (!gradient_norms_.empty()) step.gradient_norms = gradient_norms_[s];
  return step;
}

UnitStep UnitWalk::timed_step(std::size_t s) {
  Step step = begin(s);
  Group group(learners_);
  feedback_->aggregate(step, unit_, RecordedGradient(trace_, s, unit_), group, average_);
  return {group.phases(), group.seconds(), {}};
}

UnitStep UnitWalk::step(std::size_t s, GradientSums& gradients) {
  Step step = begin(s);
  Group group(learners_);
  UnitStep result;
  begin_statistics(step, s, gradients, result.sums);
  ContributionRecord record;
  if (memories_ == Memories::mean) {
    const std::vector<float> mean(mean_gradient_.begin(), mean_gradient_.end());
    record = feedback_->aggregate_mean(step, unit_, mean, group, average_);
  } else {
    record = feedback_->aggregate(step, unit_, RecordedGradient(trace_, s, unit_), group, average_);
  }
  result.phases = group.phases();
  result.seconds = group.seconds();
  end_statistics(step, record, result.sums);
  return result;
}

void UnitWalk::begin_statistics(const Step& step, std::size_t s, GradientSums& gradients, StepRecord& sums) {
  mean_gradient_.clear();
  mean_gradient_.reserve(numel_);
  for (const TensorInfo& tensor : unit_.tensors) {
    auto of_tensor = gradients.of(s, tensor.id, learners_);
    for (double value : of_tensor->sum) mean_gradient_.push_back(value / learners_);
    if (memories_ == Memories::each) sums.gradient_square += of_tensor->squares;
  }
  if (memories_ == Memories::mean)
    for (double value : mean_gradient_) sums.gradient_square += learners_ * value * value;
  mean_input_ = mean_gradient_;
  const double worth = feedback_->memory_in_gradients(step);
  for (std::size_t e = 0; e < mean_memory_.size(); ++e) mean_input_[e] += worth * mean_memory_[e];
}

void UnitWalk::end_statistics(const Step& step, const ContributionRecord& record, StepRecord& sums) {
  for (std::size_t e = 0; e < numel_; ++e) {
    double applied = static_cast<double>(average_[e]);
    double error = applied - mean_gradient_[e], residual = mean_input_[e] - applied;
    sums.mean_gradient_square += mean_gradient_[e] * mean_gradient_[e];
    sums.error_square += error * error;
    sums.mean_input_square += mean_input_[e] * mean_input_[e];
    sums.residual_square += residual * residual;
  }
  const double worth = feedback_->memory_in_gradients(step);
  const std::uint32_t kept = memories_ == Memories::mean ? 1 : learners_;
  std::fill(mean_memory_.begin(), mean_memory_.end(), 0.0);
  for (LearnerId i = 0; i < kept; ++i) {
    std::span<const float> memory = feedback_->memory(i);
    mean_memory_.resize(std::max(mean_memory_.size(), memory.size()));
    for (std::size_t e = 0; e < memory.size(); ++e) mean_memory_[e] += static_cast<double>(memory[e]);
    sums.memory_square += worth * worth * square_sum(memory);
  }
  for (double& value : mean_memory_) value /= kept;
  if (memories_ == Memories::mean) sums.memory_square *= learners_;

  if (record.union_by_hop.empty()) return;
  sums.union_by_hop.assign(record.union_by_hop.begin(), record.union_by_hop.end());
  sums.mean_support = static_cast<double>(record.support) / learners_;
  double density = sums.mean_support / static_cast<double>(numel_);
  sums.independent_union = static_cast<double>(numel_) * (1 - std::pow(1 - density, learners_));
}

}  // namespace traincast
