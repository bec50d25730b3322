#include "simulator/training/model_method.hpp"

#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/parallel.hpp"
#include "base/units.hpp"
#include "compressors/kernels/kernels.hpp"
#include "simulator/training/unit_places.hpp"

namespace traincast {

namespace {

/// A unit's part of the learners' vectors.
class PartsOfVectors : public GradientSource {
 public:
  PartsOfVectors(std::span<const std::span<const float>> vectors, const UnitPlaces& places)
      : vectors_(vectors), places_(places) {}
  void read(LearnerId learner, std::span<float> into) const override {
    places_.gather(vectors_[learner], into);
  }

 private:
  std::span<const std::span<const float>> vectors_;
  const UnitPlaces& places_;
};

GradientTotals totals_of(std::span<const std::span<const float>> vectors, const UnitPlaces& places,
                         std::uint64_t numel) {
  GradientTotals totals{std::vector<double>(numel, 0.0), 0};
  for (std::span<const float> vector : vectors) {
    std::size_t at = 0;
    places.for_each(vector, [&](std::span<const float> piece) {
      for (float value : piece) totals.sum[at++] += static_cast<double>(value);
      totals.squares += kernels().sum_of_squares(piece.data(), piece.size());
    });
  }
  return totals;
}

void refuse_what_does_not_fit(const Scenario& scenario, std::uint64_t parameters) {
  double kept = memories_of(scenario) == Memories::mean ? 1 : scenario.learners;
  const LearnerMemory& memory = scenario.learner_memory;
  double each = 4 + memory_bytes(memory) + (memory.momentum_before ? 4 : 0);
  double needed = static_cast<double>(parameters) * (each * kept + 40), available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("error memories and messages of " + std::to_string(scenario.learners) +
                     " learners need up to " + format_bytes(needed) + " of memory, and " +
                     format_bytes(available) + " are available; use fewer learners or a smaller model");
}

}  // namespace

struct ModelMethod::Unit {
  CompressorUnit of;
  UnitPlaces places;
  UnitPass pass;
  UnitStep last;
};

ModelMethod::ModelMethod(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads)
    : learners_(scenario.learners),
      threads_(threads),
      memories_(memories_of(scenario)),
      compressor_(scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)),
      buckets_(make_buckets(std::vector<TensorInfo>(layers.begin(), layers.end()), scenario.buckets)) {
  std::uint64_t parameters = 0;
  for (const TensorInfo& layer : layers) parameters += layer.numel();
  refuse_what_does_not_fit(scenario, parameters);
  for (CompressorUnit& unit : make_units(*compressor_, buckets_)) {
    UnitPlaces places(layers, unit.seen);
    UnitPass pass(scenario, unit.seen, learners_, memories_);
    pass.keep_selections();
    units_.push_back(std::make_unique<Unit>(Unit{std::move(unit), std::move(places), std::move(pass), {}}));
  }
}

ModelMethod::~ModelMethod() = default;

StepRecord ModelMethod::aggregate(const Step& given, std::span<const std::span<const float>> vectors,
                                  std::span<float> average) {
  std::vector<LearnerId> learners(learners_);
  std::iota(learners.begin(), learners.end(), 0u);
  Step step = given;
  step.learners = learners;
  std::vector<double> norms;
  if (compressor_->needs_gradient_norms()) {
    for (std::span<const float> vector : vectors)
      norms.push_back(std::sqrt(kernels().sum_of_squares(vector.data(), vector.size())));
    step.gradient_norms = norms;
  }
  in_parallel(units_.size(), threads_, [&](std::size_t u, unsigned) {
    Unit& unit = *units_[u];
    unit.last = unit.pass.step(step, PartsOfVectors(vectors, unit.places),
                               totals_of(vectors, unit.places, unit.of.seen.numel()));
    unit.places.scatter(unit.pass.average(), average);
  });

  StepAssembly assembly(buckets_.size(), learners_);
  for (auto& unit : units_) assembly.add(unit->of, std::move(unit->last));
  StepRecord record = assembly.take();
  record.regime = regimes_.of(compressor_->regime(step));
  return record;
}

Similarity ModelMethod::similarity() const {
  Similarity result;
  SelectionDistance selection;
  for (const auto& unit : units_) selection.add(unit->pass.selections(), unit->pass.mean_input());
  result.selection_distance = selection.value();
  if (memories_ == Memories::mean) return result;
  std::vector<const UnitPass*> remembering;  // tensors that are sent whole have no memory
  for (const auto& unit : units_)
    if (!unit->pass.memory(0).empty()) remembering.push_back(&unit->pass);
  result.memory_distance = mean_cosine_distance(
      remembering.size(), learners_,
      [&](std::size_t part, LearnerId learner) { return remembering[part]->memory(learner); });
  return result;
}

void ModelMethod::save(Writer& writer) const {
  regimes_.save(writer);
  for (const auto& unit : units_) unit->pass.save(writer);
}

void ModelMethod::load(Reader& reader) {
  regimes_.load(reader);
  for (const auto& unit : units_) unit->pass.load(reader);
}

}  // namespace traincast
