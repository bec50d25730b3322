// Some tensors of one step at all learners: what of a stream is in memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workloads/trace/trace.hpp"

namespace traincast {

/// Of a trace the part that is there; reading another is a programming error (std::logic_error).
class StepWindow final : public GradientTrace {
 public:
  explicit StepWindow(const Manifest& manifest);

  void hold(std::span<const std::uint32_t> tensors);  ///< in place of what was held
  void begin(std::size_t step);
  /// `gradient`: of the whole model, tensor by tensor.
  void put(LearnerId learner, std::span<const float> gradient);

  const Manifest& manifest() const override { return manifest_; }
  void read(std::size_t step, LearnerId learner, std::uint32_t tensor, std::span<float> into) const override;

 private:
  const Manifest& manifest_;
  std::vector<std::uint64_t> places_;     // in the whole model, by tensor
  std::vector<std::vector<float>> held_;  // by tensor, learner by learner; empty: not held
  std::size_t step_ = 0;
};

}  // namespace traincast
