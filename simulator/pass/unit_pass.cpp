#include "simulator/pass/unit_pass.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "compressors/kernels/kernels.hpp"
#include "simulator/pass/tensor_bytes.hpp"

namespace traincast {

namespace {

void add_sums(StepRecord& total, const StepRecord& part) {
  total.mean_gradient_square += part.mean_gradient_square;
  total.error_square += part.error_square;
  total.mean_input_square += part.mean_input_square;
  total.residual_square += part.residual_square;
  total.gradient_square += part.gradient_square;
  total.memory_square += part.memory_square;
  total.mean_support += part.mean_support;
  total.independent_union += part.independent_union;
  if (total.union_by_hop.size() < part.union_by_hop.size())
    total.union_by_hop.resize(part.union_by_hop.size());
  for (std::size_t h = 0; h < part.union_by_hop.size(); ++h) total.union_by_hop[h] += part.union_by_hop[h];
}

}  // namespace

std::vector<CompressorUnit> make_units(const Compressor& compressor, const std::vector<Bucket>& buckets) {
  if (compressor.coupling() == Coupling::model && buckets.size() > 1)
    throw std::logic_error("a method that sees the whole model got several buckets");
  std::vector<CompressorUnit> units;
  for (std::size_t b = 0; b < buckets.size(); ++b)
    for (Bucket& seen : compressor.units(buckets[b])) units.push_back({std::move(seen), b});
  return units;
}

UnitPass::UnitPass(const Scenario& scenario, const Bucket& unit, std::uint32_t learners, Memories memories)
    : unit_(unit), numel_(unit.numel()), learners_(learners), memories_(memories), average_(numel_) {
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  ErrorRule rule = error_rule_of(scenario, *compressor, unit);
  feedback_ = std::make_unique<ErrorFeedback>(std::move(compressor), rule, learners_, numel_, memories_,
                                              scenario.seed, scenario.learner_memory.held_in);
}

UnitStep UnitPass::timed_step(const Step& step, const GradientSource& gradients) {
  Group group(learners_);
  feedback_->aggregate(step, unit_, gradients, group, average_);
  return {group.phases(), group.seconds(), {}};
}

UnitStep UnitPass::step(const Step& step, const GradientSource& gradients, GradientTotals totals) {
  Group group(learners_);
  UnitStep result;
  begin_statistics(step, std::move(totals), result.sums);
  ContributionRecord record;
  if (memories_ == Memories::mean) {
    const std::vector<float> mean(mean_gradient_.begin(), mean_gradient_.end());
    record = feedback_->aggregate_mean(step, unit_, mean, group, average_);
  } else {
    record = feedback_->aggregate(step, unit_, gradients, group, average_);
  }
  result.phases = group.phases();
  result.seconds = group.seconds();
  end_statistics(step, record, result.sums);
  selections_ = std::move(record.supports);
  return result;
}

void UnitPass::begin_statistics(const Step& step, GradientTotals totals, StepRecord& sums) {
  mean_gradient_ = std::move(totals.sum);
  for (double& value : mean_gradient_) value /= learners_;
  sums.gradient_square = totals.squares;
  if (memories_ == Memories::mean) {
    sums.gradient_square = 0;
    for (double value : mean_gradient_) sums.gradient_square += learners_ * value * value;
  }
  mean_input_ = mean_gradient_;
  const double worth = feedback_->memory_in_gradients(step);
  for (std::size_t e = 0; e < mean_memory_.size(); ++e) mean_input_[e] += worth * mean_memory_[e];
}

void UnitPass::end_statistics(const Step& step, const ContributionRecord& record, StepRecord& sums) {
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
    sums.memory_square += worth * worth * kernels().sum_of_squares(memory.data(), memory.size());
  }
  for (double& value : mean_memory_) value /= kept;
  if (memories_ == Memories::mean) sums.memory_square *= learners_;

  if (record.union_by_hop.empty()) return;
  sums.union_by_hop.assign(record.union_by_hop.begin(), record.union_by_hop.end());
  sums.mean_support = static_cast<double>(record.support) / learners_;
  double density = sums.mean_support / static_cast<double>(numel_);
  sums.independent_union = static_cast<double>(numel_) * (1 - std::pow(1 - density, learners_));
}

// A method may take its saved memories up with its next step only, so that their mean is saved beside them.
void UnitPass::save(Writer& writer) const {
  feedback_->save(writer);
  writer.put_all(std::span<const double>(mean_memory_));
}

void UnitPass::load(Reader& reader) {
  feedback_->load(reader);
  mean_memory_ = reader.get_all<double>();
}

void StepAssembly::add(const CompressorUnit& unit, UnitStep step) {
  note_tensor_bytes(record_, unit.seen, step.phases, learners_);
  by_bucket_[unit.bucket].push_back(std::move(step.phases));
  add_sums(record_, step.sums);
}

StepRecord StepAssembly::take() {
  for (const auto& phases : by_bucket_) record_.buckets.push_back(fuse(phases));
  return std::move(record_);
}

std::uint32_t RegimeNumbers::of(std::uint32_t own) {
  auto known = std::ranges::find(seen_, own);
  auto number = static_cast<std::uint32_t>(known - seen_.begin());
  if (known == seen_.end()) seen_.push_back(own);
  return number;
}

}  // namespace traincast
