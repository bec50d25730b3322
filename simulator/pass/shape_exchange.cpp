#include "simulator/pass/shape_exchange.hpp"

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/pass/generated_exchange.hpp"
#include "simulator/pass/streamed_pass.hpp"
#include "simulator/pass/tensor_bytes.hpp"
#include "simulator/scenario/trial_run.hpp"

namespace traincast {

namespace {

// One learner's messages, sent by all.
void repeat(Op& op, std::uint32_t learners) {
  if (op.word == Word::all_gather || op.word == Word::push_pull) op.bytes.assign(learners, op.bytes.front());
  op.value_bytes *= learners;
}

std::string key_of(const TensorInfo& tensor) {
  std::string key = std::to_string(tensor.id) + " " + tensor.name + " " + tensor.kind;
  for (std::int64_t extent : tensor.shape) key += " " + std::to_string(extent);
  return key;
}

std::vector<Phase> phases_of(const Scenario& scenario, const Bucket& unit) {
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  return trial_phases(scenario.compressor, scenario.seed, unit, 1, scenario.learners,
                      error_rule_of(scenario, *compressor, unit));
}

}  // namespace

ExchangeRecord shape_exchange(const Scenario& scenario, std::span<const TensorInfo> layers,
                              ShapePhases& known) {
  ExchangeRecord record;
  record.learners = scenario.learners;
  record.buckets = make_buckets(layers, scenario.buckets);
  for (const TensorInfo& layer : layers) record.parameters += layer.numel();
  StepRecord& step = record.steps.emplace_back();
  const std::string method = scenario.resolved.at("compressor").dump(-1) +
                             scenario.resolved.at("error_feedback").dump(-1) +
                             std::to_string(scenario.learners);
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  for (const Bucket& bucket : record.buckets) {
    std::vector<std::vector<Phase>> units;
    auto add_unit = [&](const Bucket& unit, std::vector<Phase> phases) {
      for (Phase& phase : phases)
        if (phase.op) repeat(*phase.op, scenario.learners);
      note_tensor_bytes(step, unit, phases, scenario.learners);
      units.push_back(std::move(phases));
    };
    for (const Bucket& unit : compressor->units(bucket)) {
      if (unit.tensors.size() > 1) {
        add_unit(unit, phases_of(scenario, unit));
        continue;
      }
      auto [at, fresh] = known.try_emplace({method, key_of(unit.tensors.front())});
      if (fresh) at->second = phases_of(scenario, unit);
      add_unit(unit, at->second);
    }
    step.buckets.push_back(fuse(units));
  }
  return record;
}

namespace {

bool follows_from_shape(const Scenario& scenario) {
  return scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)
      ->sizes_follow_from_shape();
}

// The one method that is recorded, or a dense one, whose sizes follow from the tensors' shapes.
ExchangeRecord recorded_exchange(const Scenario& scenario, const RecordedExchange& recorded,
                                 ShapePhases& known) {
  if (recorded.method == exchange_key(scenario)) {
    ExchangeRecord record = recorded.record;
    record.steps.resize(scenario.steps);
    return record;
  }
  if (scenario.compressor.entry->name != "none")
    throw PlacedError("", "/gradients",
                      "the recorded exchange is of " + recorded.method + ", not of " +
                          exchange_key(scenario) + "; record that, or take a trace");
  ExchangeRecord record = shape_exchange(scenario, recorded.layers(), known);
  record.steps.resize(scenario.steps, record.steps.front());
  return record;
}

}  // namespace

ExchangeRecord exchange_of(const Scenario& scenario, const Gradients& gradients, unsigned threads,
                           ShapePhases& known) {
  if (const RecordedExchange* recorded = gradients.exchange())
    return recorded_exchange(scenario, *recorded, known);
  const Parameters& source = scenario.gradients.parameters;
  if (scenario.gradients.entry->make == GradientSourceKind::generated && !follows_from_shape(scenario))
    return generated_exchange(scenario, gradients.manifest().layers,
                              scenario.compressor.parameters.number("density"), source.number("overlap"));
  if (gradients.stream()) {
    const Scenario* alone[] = {&scenario};
    return std::move(
        run_streamed_compressions(alone, *gradients.stream(), threads, kShareOfRoom * available_memory())
            .front());
  }
  return gradients.trace() ? run_compression(scenario, *gradients.trace(), threads)
                           : shape_exchange(scenario, gradients.manifest().layers, known);
}

}  // namespace traincast
