// gradients and timings: where sizes and times come from, and what fits together.
#include "base/error.hpp"
#include "simulator/scenario/scenario_keys.hpp"
#include "workloads/layer_table.hpp"

namespace traincast {

Json read_gradients(const JsonReader& at, Scenario& s) {
  s.gradients = choose(at, gradient_catalog());
  GradientSourceKind kind = s.gradients.entry->make;
  const bool drawn_values = kind == GradientSourceKind::synthetic;
  if (kind != GradientSourceKind::shapes && kind != GradientSourceKind::generated && !drawn_values)
    return s.gradients.parameters.resolved();
  if (s.steps != 1 && !drawn_values)
    throw PlacedError(at.file(), "/steps",
                      "every step of a shape is the same, so there is 1, got " + std::to_string(s.steps));
  bool model = !s.gradients.parameters.word("model").empty();
  if (model == !s.gradients.parameters.counts("shape").empty())
    at.refuse("needs one of 'shape', as in [25000000], and 'model', as in \"resnet50\"");
  if (model) refuse_unknown_table(at.at("model"));
  return s.gradients.parameters.resolved();
}

Json read_timings(const JsonReader& at, Scenario& s) {
  s.timings = choose(at, timing_catalog());
  TimingSource source = s.timings.entry->make;
  GradientSourceKind gradients = s.gradients.entry->make;
  if (s.accelerator && source != TimingSource::accelerator && source != TimingSource::recorded)
    at.refuse(
        "compute and codec times come from one source: these, or 'accelerator'; leave one of the two out");
  if (source == TimingSource::accelerator) {
    if (!s.accelerator)
      at.refuse("there is no accelerator; name one, as in \"accelerator\": \"v100\"; known: " +
                join(accelerator_catalog().names()));
    bool may_be_lone = gradients == GradientSourceKind::shapes ||
                       gradients == GradientSourceKind::generated ||
                       gradients == GradientSourceKind::synthetic;
    if (may_be_lone && s.gradients.parameters.word("model").empty())
      throw PlacedError(at.file(), "/gradients",
                        "an accelerator needs the FLOPs of each layer: name a model, as in {\"name\": \"" +
                            std::string(s.gradients.entry->name) +
                            "\", \"model\": \"resnet50\", \"batch\": 128}, or give times");
  }
  if (!can_be_timed(gradients) && source == TimingSource::measured)
    at.refuse(
        std::string(gradients == GradientSourceKind::streamed
                        ? "gradients that are kept nowhere leave nothing to time codecs on; take live ones, "
                    : gradients == GradientSourceKind::synthetic
                        ? "values that are drawn are no training that could be timed; "
                        : "without gradients there is nothing that could be timed; ") +
        "name an accelerator, or give times, as in {\"name\": \"given\", \"forward\": \"5ms\", "
        "\"backward\": \"10ms\"}");
  for (const char* stage : {"encode", "decode"})
    if (source == TimingSource::given || source == TimingSource::recorded)
      for (const auto& [method, seconds] : s.timings.parameters.durations(stage)) {
        Json name = method;
        compressor_catalog().find(
            JsonReader(name, at.file(), pointer_join(pointer_join(at.pointer(), stage), method)));
      }
  return s.timings.parameters.resolved();
}

}  // namespace traincast
