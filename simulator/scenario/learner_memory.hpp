// The scenario's key "error_feedback": what learners keep around the method.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/parameters.hpp"
#include "compressors/compressor.hpp"
#include "compressors/error_feedback.hpp"

namespace traincast {

/// What a scenario says of the memories; what it leaves out is as the method's paper has it.
struct LearnerMemory {
  std::optional<ErrorRule::Error> error;
  std::optional<float> beta;
  std::optional<Memories> memories;  ///< nothing: the mean where it suffices and learners are many
  bool in_updates = false, in_bf16 = false;
  HeldIn held_in = HeldIn::memory;
  std::optional<MomentumRule> momentum_before, momentum_after;

  ErrorRule over(ErrorRule of_method) const;
};

std::span<const Parameter> error_feedback_parameters();

/// Refuses what this method cannot have around it, or what has nothing to act on.
LearnerMemory read_learner_memory(const JsonReader& at, const Parameters& parameters, std::string_view method,
                                  const Compressor& compressor);

}  // namespace traincast
