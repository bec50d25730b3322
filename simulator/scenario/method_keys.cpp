// compressor, error_feedback and buckets: what is done to gradients, and whether their source allows it.
#include "base/error.hpp"
#include "simulator/scenario/scenario_keys.hpp"
#include "simulator/scenario/trial_run.hpp"

namespace traincast {

namespace {

Bucketing read_bucketing(const JsonReader& at) {
  std::string text = at.text();
  if (text == "tensor") return {Bucketing::Kind::tensor, 0, text};
  if (text == "model") return {Bucketing::Kind::model, 0, text};
  auto size = parse_quantity(text, Unit::bytes);
  if (!size)
    at.refuse("must be a size with its unit, as in \"25MiB\", or one of tensor, model, got " + at.shown());
  constexpr double kLargest = 1e15;
  if (*size < 1 || *size > kLargest) at.refuse("must lie in [1B, 1000TB], got " + at.shown());
  return {Bucketing::Kind::bytes, static_cast<Bytes>(*size), text};
}

// Keys of methods to come, which readers of the field may try.
constexpr Planned kLaterCompressorKeys[] = {
    {"reference_coding",
     "methods have keys of their own for what references send: \"coding\": \"bytes\" (signs, QSGD, TernGrad, "
     "natural), \"index\": \"int64\" (sparse), \"padding\": \"hook\" (int8); packed is the default"}};

bool states_codec_times(const Scenario& scenario) {
  TimingSource source = scenario.timings.entry->make;
  return source == TimingSource::given || (source == TimingSource::recorded && !scenario.accelerator);
}

}  // namespace

Json read_compressor(const JsonReader& at, Scenario& scenario) {
  refuse_transport_without_choice(at);
  for (const Planned& later : kLaterCompressorKeys)
    if (at.value().find(later.name))
      at.at(later.name).refuse("is not in this version: " + std::string(later.reason));
  scenario.compressor = choose(at, compressor_catalog());
  try {  // parameters that exclude each other, too many learners
    scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)
        ->refuse_learners(scenario.learners);
  } catch (const PlacedError&) {
    throw;
  } catch (const InputError& error) {
    at.refuse(error.what());
  }
  GradientSourceKind source = scenario.gradients.entry->make;
  bool drawn = source == GradientSourceKind::generated && scenario.compressor.entry->name == "topk";
  if ((source == GradientSourceKind::shapes || source == GradientSourceKind::generated) && !drawn) {
    auto method = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    if (!method->sizes_follow_from_shape())
      at.refuse(std::string("the sizes of this method's messages ") +
                (method->sizes_depend_on_values() ? "depend on values"
                                                  : "differ from step to step or from learner to learner") +
                "; it needs live gradients or a trace");
  }
  if (states_codec_times(scenario) && scenario.compressor.entry->name != "none")
    for (const char* stage : {"encode", "decode"}) {
      bool found = false;
      for (const auto& [method, seconds] : scenario.timings.parameters.durations(stage))
        found = found || method == scenario.compressor.entry->name;
      if (!found)
        throw PlacedError(at.file(), pointer_join("/timings", stage),
                          "no duration for '" + std::string(scenario.compressor.entry->name) +
                              "'; compute and codec times come from one source, so give both");
    }
  return scenario.compressor.parameters.resolved();
}

Json read_error_feedback(const JsonReader& at, Scenario& scenario) {
  at.only_object();
  Parameters parameters = read_parameters(at, "", error_feedback_parameters());
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  scenario.learner_memory = read_learner_memory(at, parameters, scenario.compressor.entry->name, *compressor);
  return parameters.resolved();
}

Json read_buckets(const JsonReader& at, Scenario& scenario) {
  scenario.buckets = read_bucketing(at);
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  if (compressor->coupling() == Coupling::model && scenario.buckets.kind != Bucketing::Kind::model)
    at.refuse("'" + std::string(scenario.compressor.entry->name) +
              "' sees the whole model at once here, which needs \"model\"");
  return scenario.buckets.text;
}

}  // namespace traincast
