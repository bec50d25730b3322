#include "simulator/pass/unit_walk.hpp"

#include <cmath>
#include <numeric>

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
  RecordedGradient(const GradientTrace& trace, std::size_t step, const Bucket& unit)
      : trace_(trace), step_(step), unit_(unit) {}

  void read(LearnerId learner, std::span<float> into) const override {
    std::size_t at = 0;
    for (const TensorInfo& tensor : unit_.tensors) {
      trace_.read(step_, learner, tensor.id, into.subspan(at, tensor.numel()));
      at += tensor.numel();
    }
  }

 private:
  const GradientTrace& trace_;
  std::size_t step_;
  const Bucket& unit_;
};

}  // namespace

std::vector<std::uint32_t> regimes_of(const Compressor& compressor, const GradientTrace& trace,
                                      std::size_t steps) {
  const StepsOf step_of(trace);
  RegimeNumbers numbers;
  std::vector<std::uint32_t> all;
  for (std::size_t s = 0; s < steps; ++s) all.push_back(numbers.of(compressor.regime(step_of(s, {}))));
  return all;
}

GradientNorms gradient_norms(const Compressor& compressor, const GradientTrace& trace, std::size_t steps,
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

StepsOf::StepsOf(const GradientTrace& trace) : steps_(trace.manifest().steps) {
  const Manifest& manifest = trace.manifest();
  // Of gradients that others recorded these need not be known: 0 then.
  auto known = [](const Json& object, const char* key) {
    const Json* value = object.find(key);
    return value && value->is_number() ? value->number() : 0.0;
  };
  learning_rate_ = known(manifest.optimizer, "learning_rate");
  const double samples = known(manifest.data, "samples_per_learner");
  epoch_per_step_ = samples > 0 ? known(manifest.data, "batch") / samples : 0;
}

Step StepsOf::operator()(std::size_t s, std::span<const LearnerId> learners) const {
  return {steps_[s], static_cast<double>(steps_[s]) * epoch_per_step_, learning_rate_, learners, {}};
}

UnitWalk::UnitWalk(const Scenario& scenario, const GradientTrace& trace, const Bucket& unit,
                   const GradientNorms& norms, std::uint32_t learners, Memories memories)
    : trace_(trace),
      unit_(unit),
      gradient_norms_(norms),
      step_of_(trace),
      ids_(learners),
      pass_(scenario, unit, learners, memories) {
  std::iota(ids_.begin(), ids_.end(), 0u);
}

Step UnitWalk::begin(std::size_t s) const {
  throw_if_interrupted();
  Step step = step_of_(s, ids_);
  if (!gradient_norms_.empty()) step.gradient_norms = gradient_norms_[s];
  return step;
}

UnitStep UnitWalk::timed_step(std::size_t s) {
  return pass_.timed_step(begin(s), RecordedGradient(trace_, s, unit_));
}

UnitStep UnitWalk::step(std::size_t s, GradientSums& gradients) {
  const Step step = begin(s);
  GradientTotals totals;
  totals.sum.reserve(unit_.numel());
  for (const TensorInfo& tensor : unit_.tensors) {
    auto of_tensor = gradients.of(s, tensor.id, static_cast<std::uint32_t>(ids_.size()));
    totals.sum.insert(totals.sum.end(), of_tensor->sum.begin(), of_tensor->sum.end());
    totals.squares += of_tensor->squares;
  }
  return pass_.step(step, RecordedGradient(trace_, s, unit_), std::move(totals));
}

}  // namespace traincast
