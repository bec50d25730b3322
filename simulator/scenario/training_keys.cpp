// Training in the loop: what the other keys of the scenario must be for it.
#include "base/error.hpp"
#include "simulator/scenario/scenario_keys.hpp"

namespace traincast {

namespace {

// What learners send to a server of SASG: messages that need nobody else's.
void refuse_compressor_of_uploads(const std::string& file, const Scenario& s) {
  const std::string method(s.compressor.entry->name);
  auto compressor = s.compressor.entry->make(s.compressor.parameters, s.seed);
  if (s.training->kind == TrainingKind::lasg && method != "none")
    throw PlacedError(file, "/compressor", "'lasg' sends whole gradients: take \"none\", or 'sasg'");
  if (method == "none" && s.compressor.parameters.word("precision") != "fp32")
    throw PlacedError(file, "/compressor/precision", "'" + s.training->name + "' sends fp32");
  if (s.training->kind == TrainingKind::sasg && method != "none" && !compressor->codec())
    throw PlacedError(file, "/compressor",
                      "'sasg' sends what one learner encodes alone, and '" + method +
                          "' is no such method; 'topk' is, as other gathered ones");
  Json none{Json::Object{}};
  if (s.resolved.at("error_feedback") !=
      read_parameters(JsonReader(none, file), "", error_feedback_parameters()).resolved())
    throw PlacedError(file, "/error_feedback",
                      "'" + s.training->name + "' has a memory of its own, of updates; leave it out");
}

}  // namespace

Json read_training_in_loop(const JsonReader& at, Scenario& s) {
  if (at.value().is_null()) return {};
  const std::string name(training_catalog().find(at).name);
  if (s.gradients.entry->make != GradientSourceKind::live)
    throw PlacedError(at.file(), "/gradients",
                      "'" + name + "' needs training with the method in the loop, and '" +
                          std::string(s.gradients.entry->name) +
                          "' has no gradients but those that were there before: take \"live\", or leave out "
                          "'training'");
  if (s.timings.entry->make == TimingSource::measured)
    throw PlacedError(
        at.file(), "/timings",
        "a step's duration in training comes from an accelerator's description, or is given, so "
        "that the curve is the same wherever it was computed; name one, as in "
        "\"accelerator\": \"v100\"");
  s.training = read_loop_training(at, s.workload->parameters, s.steps, s.seed);
  if (s.training->kind == TrainingKind::sasg || s.training->kind == TrainingKind::lasg)
    refuse_compressor_of_uploads(at.file(), s);
  s.steps = s.training->steps;
  s.resolved["steps"] = s.steps;
  return s.training->parameters.resolved();
}

}  // namespace traincast
