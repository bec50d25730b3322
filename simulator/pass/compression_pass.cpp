#include "simulator/pass/compression_pass.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <functional>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/machine.hpp"
#include "compressors/error_feedback.hpp"
#include "simulator/pass/tensor_bytes.hpp"

namespace traincast {

namespace {

// From so many learners on, what the plain form of a linear method costs beyond reading gradients is felt.
constexpr std::uint32_t kMany = 32;
// Learners of such a method that are timed.
constexpr std::uint32_t kSampled = 8;

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

// What one call of aggregate sees, and the bucket whose collectives it joins.
struct CompressorUnit {
  Bucket seen;
  std::size_t bucket = 0;
};

std::vector<CompressorUnit> make_units(const Compressor& compressor, const std::vector<Bucket>& buckets) {
  if (compressor.coupling() == Coupling::model && buckets.size() > 1)
    throw std::logic_error("a method that sees the whole model got several buckets");
  std::vector<CompressorUnit> units;
  for (std::size_t b = 0; b < buckets.size(); ++b)
    for (Bucket& seen : compressor.units(buckets[b])) units.push_back({std::move(seen), b});
  return units;
}

/// By step and learner; empty for methods that need none.
using GradientNorms = std::vector<std::vector<double>>;

struct UnitStep {
  std::vector<Phase> phases;
  std::vector<PhaseSeconds> seconds;
  StepRecord sums;  // without buckets
};

double square_sum(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

// Steps as a method sees them, but for its learners.
class StepsOf {
 public:
  explicit StepsOf(const TraceReader& trace) : steps_(trace.manifest().steps) {
    const Manifest& manifest = trace.manifest();
    learning_rate_ = manifest.optimizer.at("learning_rate").number();
    epoch_per_step_ = manifest.data.at("batch").number() / manifest.data.at("samples_per_learner").number();
  }
  Step operator()(std::size_t s, std::span<const LearnerId> learners) const {
    return {steps_[s], static_cast<double>(steps_[s]) * epoch_per_step_, learning_rate_, learners, {}};
  }

 private:
  std::vector<std::uint64_t> steps_;
  double learning_rate_ = 0, epoch_per_step_ = 0;
};

/// By step, numbered in order of appearance.
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

// Walks one unit through the steps: its error memories live only here.
class UnitWalk {
 public:
  UnitWalk(const Scenario& scenario, const TraceReader& trace, const Bucket& unit,
           const GradientNorms& gradient_norms, std::uint32_t learners, Memories memories)
      : trace_(trace),
        unit_(unit),
        numel_(unit.numel()),
        learners_(learners),
        memories_(memories),
        gradient_norms_(gradient_norms),
        step_of_(trace) {
    auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    ErrorRule rule = error_rule_of(scenario, *compressor, unit);
    feedback_ = std::make_unique<ErrorFeedback>(std::move(compressor), rule, learners_, numel_, memories_,
                                                scenario.seed);
    ids_.resize(learners_);
    std::iota(ids_.begin(), ids_.end(), 0u);
    average_.resize(numel_);
  }

  // `statistics` off: only what timing needs.
  UnitStep step(std::size_t s, bool statistics) {
    throw_if_interrupted();
    Group group(learners_);
    RecordedGradient gradients(trace_, s, unit_);
    Step step = step_of_(s, ids_);
    if (!gradient_norms_.empty()) step.gradient_norms = gradient_norms_[s];

    UnitStep result;
    if (statistics) begin_statistics(step, gradients, result.sums);
    ContributionRecord record = feedback_->aggregate(step, unit_, gradients, group, average_);
    result.phases = group.phases();
    result.seconds = group.seconds();
    if (statistics) end_statistics(step, record, result.sums);
    return result;
  }

 private:
  void begin_statistics(const Step& step, const GradientSource& gradients, StepRecord& sums) {
    const double worth = feedback_->memory_in_gradients(step);
    mean_gradient_.assign(numel_, 0.0);
    mean_input_.assign(numel_, 0.0);
    gradient_.resize(numel_);
    for (LearnerId i = 0; i < learners_; ++i) {
      gradients.read(i, gradient_);
      for (std::size_t e = 0; e < numel_; ++e) mean_gradient_[e] += static_cast<double>(gradient_[e]);
      if (memories_ == Memories::each) sums.gradient_square += square_sum(gradient_);
      std::span<const float> memory;
      if (memories_ == Memories::each) memory = feedback_->memory(i);
      for (std::size_t e = 0; e < memory.size(); ++e)
        mean_input_[e] += worth * static_cast<double>(memory[e]);
    }
    for (std::size_t e = 0; e < numel_; ++e) {
      mean_input_[e] = (mean_input_[e] + mean_gradient_[e]) / learners_;
      mean_gradient_[e] /= learners_;
    }
    if (memories_ == Memories::each) return;
    std::span<const float> memory = feedback_->memory(0);
    for (std::size_t e = 0; e < memory.size(); ++e) mean_input_[e] += worth * static_cast<double>(memory[e]);
    for (double value : mean_gradient_) sums.gradient_square += learners_ * value * value;
  }

  void end_statistics(const Step& step, const ContributionRecord& record, StepRecord& sums) {
    const double worth = feedback_->memory_in_gradients(step);
    for (std::size_t e = 0; e < numel_; ++e) {
      double applied = static_cast<double>(average_[e]);
      double error = applied - mean_gradient_[e], residual = mean_input_[e] - applied;
      sums.mean_gradient_square += mean_gradient_[e] * mean_gradient_[e];
      sums.error_square += error * error;
      sums.mean_input_square += mean_input_[e] * mean_input_[e];
      sums.residual_square += residual * residual;
    }
    if (memories_ == Memories::mean)
      sums.memory_square = worth * worth * learners_ * square_sum(feedback_->memory(0));
    for (LearnerId i = 0; memories_ == Memories::each && i < learners_; ++i)
      sums.memory_square += worth * worth * square_sum(feedback_->memory(i));
    if (record.union_by_hop.empty()) return;
    sums.union_by_hop.assign(record.union_by_hop.begin(), record.union_by_hop.end());
    sums.mean_support = static_cast<double>(record.support) / learners_;
    double density = sums.mean_support / static_cast<double>(numel_);
    sums.independent_union = static_cast<double>(numel_) * (1 - std::pow(1 - density, learners_));
  }

  const TraceReader& trace_;
  const Bucket& unit_;
  std::uint64_t numel_;
  std::uint32_t learners_;
  Memories memories_;
  const GradientNorms& gradient_norms_;
  StepsOf step_of_;
  std::unique_ptr<ErrorFeedback> feedback_;
  std::vector<LearnerId> ids_;
  std::vector<float> average_, gradient_;
  std::vector<double> mean_gradient_, mean_input_;
};

void add(StepRecord& total, const StepRecord& part) {
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

// Calls f(0 … count−1) from several threads; the first exception is rethrown here.
void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& f) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        f(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> others;
  for (unsigned t = 1; t < std::min<std::size_t>(threads, count); ++t) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

void refuse_what_does_not_fit(const Scenario& scenario, const std::vector<CompressorUnit>& units,
                              unsigned threads) {
  std::vector<std::uint64_t> sizes;
  for (const CompressorUnit& unit : units) sizes.push_back(unit.seen.numel());
  std::sort(sizes.rbegin(), sizes.rend());
  double largest = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(threads, sizes.size()); ++i)
    largest += static_cast<double>(sizes[i]);
  // One memory per learner, a message per learner of at most the same size, and the statistics.
  bool mean = memories_of(scenario) == Memories::mean;
  double kept = mean ? std::min(kSampled, scenario.learners) : scenario.learners;
  double each = scenario.learner_memory.momentum_before ? 12 : 8;
  double needed = largest * (each * kept + 40), available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("error memories and messages of " + std::to_string(scenario.learners) +
                     " learners need up to " + format_bytes(needed) + " of memory, and " +
                     format_bytes(available) +
                     " are available; use fewer learners, --threads 1, or a machine with more memory");
}

}  // namespace

ErrorRule error_rule_of(const Scenario& scenario, const Compressor& compressor, const Bucket& unit) {
  return scenario.learner_memory.over(compressor.error_rule_for(unit));
}

Memories memories_of(const Scenario& scenario) {
  if (scenario.learner_memory.memories) return *scenario.learner_memory.memories;
  if (scenario.learner_memory.in_bf16) return Memories::each;  // each is rounded by itself
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  return compressor->linear() && scenario.learners >= kMany ? Memories::mean : Memories::each;
}

ExchangeRecord run_compression(const Scenario& scenario, const TraceReader& trace, unsigned threads) {
  ExchangeRecord record;
  record.learners = scenario.learners;
  record.parameters = trace.manifest().parameters();
  record.buckets = make_buckets(trace.manifest().layers, scenario.buckets);
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  std::vector<CompressorUnit> units = make_units(*compressor, record.buckets);
  refuse_what_does_not_fit(scenario, units, threads);

  const GradientNorms norms = gradient_norms(*compressor, trace, scenario.steps, scenario.learners);
  const Memories memories = memories_of(scenario);
  std::vector<std::vector<UnitStep>> walked(units.size());
  in_parallel(units.size(), threads, [&](std::size_t u) {
    UnitWalk walk(scenario, trace, units[u].seen, norms, scenario.learners, memories);
    for (std::size_t s = 0; s < scenario.steps; ++s) walked[u].push_back(walk.step(s, true));
  });

  record.steps.resize(scenario.steps);
  const std::vector<std::uint32_t> regimes = regimes_of(*compressor, trace, scenario.steps);
  for (std::size_t s = 0; s < scenario.steps; ++s) {
    record.steps[s].regime = regimes[s];
    std::vector<std::vector<std::vector<Phase>>> by_bucket(record.buckets.size());
    for (std::size_t u = 0; u < units.size(); ++u) {
      note_tensor_bytes(record.steps[s], units[u].seen, walked[u][s].phases, record.learners);
      by_bucket[units[u].bucket].push_back(std::move(walked[u][s].phases));
      add(record.steps[s], walked[u][s].sums);
    }
    for (const auto& phases : by_bucket) record.steps[s].buckets.push_back(fuse(phases));
  }
  return record;
}

namespace {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Times of one bucket's phases in several steps.
class PhaseSamples {
 public:
  void add(const BucketExchange& exchange, const std::vector<PhaseSeconds>& fused) {
    seen_.resize(std::max(seen_.size(), fused.size()));
    for (std::size_t p = 0; p < fused.size(); ++p)
      for (Stage stage : {Stage::encode, Stage::decode}) {
        auto at = static_cast<std::size_t>(stage);
        std::optional<LearnerId> only;
        bool works = false;  // a method that states no work here (plain fp32) leaves the gradient where it is
        for (const Work& work : exchange.phases[p].work) {
          if (work.stage != stage) continue;
          works = true;
          if (work.only) only = work.only;
        }
        if (!works) continue;
        std::vector<double> each = fused[p].each[at];
        double alone = 0;  // what one learner does beyond what all do
        if (only && !each.empty()) {
          alone = each[*only];
          each.erase(each.begin() + *only);
          alone = std::max(0.0, alone - median(each));
        }
        seen_[p][2 * at].push_back(median(each) + fused[p].once[at]);
        seen_[p][2 * at + 1].push_back(alone);
      }
  }

  std::vector<CodecSeconds::PhaseTime> medians() const {
    std::vector<CodecSeconds::PhaseTime> all;
    for (const auto& phase : seen_) {
      CodecSeconds::PhaseTime& time = all.emplace_back();
      for (std::size_t at : {0u, 1u}) {
        time.each_s[at] = median(phase[2 * at]);
        time.only_s[at] = median(phase[2 * at + 1]);
      }
    }
    return all;
  }

 private:
  std::vector<std::array<std::vector<double>, 4>> seen_;  // of each phase and stage: of all, of one alone
};

}  // namespace

CodecSeconds measure_codec(const Scenario& scenario, const TraceReader& trace) {
  keep_freed_memory();
  std::vector<Bucket> buckets = make_buckets(trace.manifest().layers, scenario.buckets);
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  std::vector<CompressorUnit> units = make_units(*compressor, buckets);
  const std::vector<std::uint32_t> regimes = regimes_of(*compressor, trace, scenario.steps);
  // Seven steps of each way of working are enough; a warm-up is walked through for what comes after it.
  constexpr std::size_t kEnough = 8;
  std::vector<std::size_t> of_regime(*std::max_element(regimes.begin(), regimes.end()) + 1, 0);
  std::size_t steps = 0;
  for (std::size_t s = 0; s < regimes.size(); ++s)
    if (++of_regime[regimes[s]] <= kEnough) steps = s + 1;

  const GradientNorms norms = gradient_norms(*compressor, trace, steps, scenario.learners);
  // What a learner does in a linear method does not depend on how many there are.
  const std::uint32_t learners =
      compressor->linear() ? std::min(scenario.learners, kSampled) : scenario.learners;
  std::vector<std::vector<UnitStep>> walked(units.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    UnitWalk walk(scenario, trace, units[u].seen, norms, learners, Memories::each);
    for (std::size_t s = 0; s < steps; ++s) walked[u].push_back(walk.step(s, false));
  }

  CodecSeconds result;
  for (std::uint32_t regime = 0; regime < of_regime.size(); ++regime) {
    auto& times = result.regimes.emplace_back();
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      PhaseSamples samples;
      // The first step of all pays for cold caches and first allocations; what one learner does alone gives
      // one sample a step.
      for (std::size_t s = regime == regimes[0] && of_regime[regime] > 1 ? 1 : 0; s < steps; ++s) {
        if (regimes[s] != regime) continue;
        std::vector<std::vector<Phase>> phases;
        std::vector<std::vector<PhaseSeconds>> seconds;
        for (std::size_t u = 0; u < units.size(); ++u)
          if (units[u].bucket == b) {
            phases.push_back(walked[u][s].phases);
            seconds.push_back(walked[u][s].seconds);
          }
        samples.add(fuse(phases), fuse_seconds(phases, seconds));
      }
      times.push_back(samples.medians());
    }
  }
  return result;
}

}  // namespace traincast
