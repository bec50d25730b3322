// Training in the loop: what the other keys of the scenario must be for it.
#include "base/error.hpp"
#include "simulator/scenario/scenario_keys.hpp"

namespace traincast {

namespace {

void refuse_what_has_no_codec(const std::string& file, const std::string& training, const std::string& method,
                              Compressor& compressor) {
  if (method != "none" && !compressor.codec())
    throw PlacedError(file, "/compressor",
                      "'" + training + "' sends what one learner encodes alone, and '" + method +
                          "' as it stands is no such method; 'topk' is, as other gathered ones");
}

// Messages must be all that there is to a method: what comes of them is their mean.
void refuse_what_encodes_not_alone(const std::string& file, const std::string& training,
                                   const std::string& method, Compressor& compressor) {
  refuse_what_has_no_codec(file, training, method, compressor);
  if (!compressor.averages_contributions() || compressor.remembers())
    throw PlacedError(file, "/compressor",
                      "'" + training + "' sends what one learner encodes, and '" + method +
                          "' makes more of messages than their mean; take what it is made of");
}

// What learners send to a server of SASG: messages that need nobody else's.
void refuse_compressor_of_uploads(const std::string& file, const Scenario& s) {
  const std::string method(s.compressor.entry->name);
  auto compressor = s.compressor.entry->make(s.compressor.parameters, s.seed);
  if (s.training->kind == TrainingKind::lasg && method != "none")
    throw PlacedError(file, "/compressor", "'lasg' sends whole gradients: take \"none\", or 'sasg'");
  if (method == "none" && s.compressor.parameters.word("precision") != "fp32")
    throw PlacedError(file, "/compressor/precision", "'" + s.training->name + "' sends fp32");
  if (s.training->kind == TrainingKind::sasg)
    refuse_what_encodes_not_alone(file, "sasg", method, *compressor);
  Json none{Json::Object{}};
  if (s.resolved.at("error_feedback") !=
      read_parameters(JsonReader(none, file), "", error_feedback_parameters()).resolved())
    throw PlacedError(file, "/error_feedback",
                      "'" + s.training->name + "' has a memory of its own, of updates; leave it out");
}

// What distributed auto-differentiation sends are no gradients: layers go one by one, and nothing that was
// not sent of inputs or deltas is still of use in the next step.
void refuse_what_factors_do_not_have(const std::string& file, const Scenario& s) {
  const std::string &name = s.training->name, method(s.compressor.entry->name);
  if (std::string why =
          refusal_of_factors(s.workload->entry->make(s.workload->parameters), *factors_of(s.training->kind));
      !why.empty())
    throw PlacedError(file, "/training", "'" + name + "' cannot train this workload: " + why);
  if (method == "none" && s.compressor.parameters.word("precision") != "fp32")
    throw PlacedError(file, "/compressor/precision", "'" + name + "' sends fp32");
  auto compressor = s.compressor.entry->make(s.compressor.parameters, s.seed);
  refuse_what_has_no_codec(file, name, method, *compressor);
  if (compressor->remembers())
    throw PlacedError(file, "/compressor",
                      "'" + method + "' remembers gradients of earlier steps, and what '" + name +
                          "' sends are inputs and deltas, or components, which begin anew in each; take what "
                          "it is made of");
  Json none{Json::Object{}};
  if (s.resolved.at("error_feedback") !=
      read_parameters(JsonReader(none, file), "", error_feedback_parameters()).resolved())
    throw PlacedError(file, "/error_feedback",
                      "'" + name + "' sends no gradients that a memory could hold back; leave it out");
  constexpr const char* kDefault = "25MiB";
  if (s.buckets.text != kDefault)
    throw PlacedError(file, "/buckets", "'" + name + "' sends layer by layer; leave it out");
  if (s.training->kind == TrainingKind::rank_dad && s.training->parameters.word("reduced_by") == "server" &&
      s.algorithm(Word::push_pull) != "servers")
    throw PlacedError(
        file, "/collective/push_pull",
        "a server that reduces components needs whole messages: take \"servers\", on a platform "
        "that has one, or \"reduced_by\": \"learners\"");
  if (s.training->kind == TrainingKind::rank_dad && s.training->parameters.word("variant") == "authors" &&
      s.training->parameters.count("rank") < 2)
    throw PlacedError(file, "/training/rank",
                      "the authors' code drops the last component: take 2 at least, or \"corrected\"");
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
  s.training = read_loop_training(at, s.workload->parameters, s.steps, s.seed, s.learners);
  if (s.training->kind == TrainingKind::sasg || s.training->kind == TrainingKind::lasg)
    refuse_compressor_of_uploads(at.file(), s);
  if (factors_of(s.training->kind)) refuse_what_factors_do_not_have(at.file(), s);
  s.steps = s.training->steps;
  s.resolved["steps"] = s.steps;
  return s.training->parameters.resolved();
}

}  // namespace traincast
