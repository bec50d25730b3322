#include "simulator/scenario/learner_memory.hpp"

#include <string>
#include <utility>

namespace traincast {

namespace {

constexpr Parameter kParameters[] = {
    {"error", Unit::word, "auto|none|local|global", "auto",
     "what the memory keeps: auto, as the method's paper; none; local, gradient + memory − own contribution; "
     "global, gradient + memory − average"},
    {"memories", Unit::word, "auto|each|mean", "auto",
     "whose are kept: each learner's, or their mean alone, which gives a linear method the same average at "
     "the "
     "cost of one learner; auto: the mean for linear methods among 32 learners or more"},
    {"beta", Unit::ratio, "[0, 1]", "0",
     "low-pass filter: m ← (1 − beta)·m + beta·(p − sent) (ScaleCom, eq. 5); 0: the method's own"},
    {"units", Unit::word, "gradients|updates", "gradients",
     "what memory and method see: gradients, or these times the learning rate (Mem-SGD, EF-signSGD)"},
    {"memory", Unit::word, "fp32|bf16|file", "fp32",
     "numbers of the memory: fp32; bf16, rounded up or down at random; or fp32 in a file of the temporary "
     "folder (TMPDIR), for memories that do not fit"},
    {"momentum", Unit::ratio, "[0, 1)", "0", "factor of a momentum beside the optimizer's; 0: none"},
    {"momentum_kind", Unit::word, "heavy_ball|nesterov|averaged", "heavy_ball",
     "m ← f·m + g; the same with g + f·m sent; m ← f·m + (1 − f)·g"},
    {"momentum_place", Unit::word, "before|after", "before",
     "each learner's own, of its gradients before anything is compressed; or of the average that arrives"},
};

std::optional<ErrorRule::Error> error_of(const std::string& word) {
  if (word == "none") return ErrorRule::Error::none;
  if (word == "local") return ErrorRule::Error::local;
  if (word == "global") return ErrorRule::Error::global;
  return std::nullopt;
}

MomentumRule momentum_of(const Parameters& parameters) {
  const std::string& kind = parameters.word("momentum_kind");
  return {kind == "heavy_ball" ? MomentumRule::Kind::heavy_ball
          : kind == "nesterov" ? MomentumRule::Kind::nesterov
                               : MomentumRule::Kind::averaged,
          static_cast<float>(parameters.number("momentum"))};
}

}  // namespace

std::span<const Parameter> error_feedback_parameters() { return kParameters; }

ErrorRule LearnerMemory::over(ErrorRule of_method) const {
  ErrorRule rule = of_method;
  if (error) rule.error = *error;
  if (beta) rule.beta = *beta;
  rule.in_updates = in_updates;
  rule.in_bf16 = in_bf16;
  rule.momentum_before = momentum_before;
  rule.momentum_after = momentum_after;
  return rule;
}

LearnerMemory read_learner_memory(const JsonReader& at, const Parameters& parameters, std::string_view method,
                                  const Compressor& compressor) {
  LearnerMemory memory;
  memory.error = error_of(parameters.word("error"));
  if (parameters.number("beta") > 0) memory.beta = static_cast<float>(parameters.number("beta"));
  memory.in_updates = parameters.word("units") == "updates";
  memory.in_bf16 = parameters.word("memory") == "bf16";
  if (parameters.word("memory") == "file") memory.held_in = HeldIn::file;
  const MomentumRule momentum = momentum_of(parameters);
  if (momentum.factor > 0)
    (parameters.word("momentum_place") == "before" ? memory.momentum_before : memory.momentum_after) =
        momentum;

  const std::string name = "'" + std::string(method) + "'";
  const std::string& kept = parameters.word("memories");
  if (kept == "each") memory.memories = Memories::each;
  if (kept == "mean") memory.memories = Memories::mean;
  if (kept == "mean" && !compressor.linear())
    at.at("memories")
        .refuse(name + " is not linear, so that every learner needs its own; allowed: auto, each");
  if (kept == "mean" && memory.in_bf16)
    at.at("memories").refuse("memories in bf16 are rounded each by itself; allowed with them: auto, each");
  if (compressor.forbids_memory() && memory.error.value_or(ErrorRule::Error::none) != ErrorRule::Error::none)
    at.at("error").refuse(name +
                          (compressor.remembers() ? " has a memory of its own, around which there can be none"
                                                  : " can have none around it") +
                          "; allowed: auto, none");
  if (compressor.remembers() && memory.momentum_before)
    at.at("momentum").refuse(name + " has a memory of its own, before which there can be no momentum");
  if (compressor.needs_gradient_norms() && memory.momentum_before)
    at.at("momentum")
        .refuse(name +
                " clips by the norms of gradients, not of momenta; \"momentum_place\": "
                "\"after\" has it behind the method");
  if (memory.over(compressor.error_rule()).error == ErrorRule::Error::none)
    for (auto [key, given] : {std::pair("beta", memory.beta.has_value()),
                              {"units", memory.in_updates},
                              {"memory", parameters.word("memory") != "fp32"}})
      if (given) at.at(key).refuse(name + " has no error memory here; 'error' gives it one: local, global");
  if (momentum.factor == 0)
    for (auto [key, given] : {std::pair("momentum_kind", momentum.kind != MomentumRule::Kind::heavy_ball),
                              {"momentum_place", parameters.word("momentum_place") != "before"}})
      if (given) at.at(key).refuse("goes with a 'momentum' above 0");
  return memory;
}

}  // namespace traincast
