// Gradients that are there only while they are computed: step by step, learner by learner.
#pragma once

#include <functional>
#include <span>

#include "workloads/learner_protocol.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

class GradientStream {
 public:
  /// Takes a learner's gradient of the whole model, tensor by tensor.
  using Take = std::function<void(LearnerId, std::span<const float> gradient)>;

  virtual ~GradientStream() = default;
  /// Its steps are those that can be walked.
  virtual const Manifest& manifest() const = 0;
  /// The gradients of learners 0 … N−1 in a step, each once, in any order, by several threads. `step` counts
  /// within the manifest. Steps are first walked in their order; once walked, a step may be walked again,
  /// whenever one likes, and is the same.
  virtual void walk(std::size_t step, const Take& take) = 0;
  /// Of the process that computes them.
  virtual ProcessMemory memory() = 0;
};

}  // namespace traincast
