// One vector for each learner, zero at first: in one block, so that all of it goes back to the system at the
// end, however large.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

class LearnerVectors {
 public:
  LearnerVectors(std::uint32_t learners, std::uint64_t numel)
      : learners_(learners), numel_(numel), values_(learners * numel, 0.0f) {}

  std::uint32_t size() const { return learners_; }
  bool empty() const { return learners_ == 0; }
  std::span<float> operator[](LearnerId learner) { return {values_.data() + learner * numel_, numel_}; }
  std::span<const float> operator[](LearnerId learner) const {
    return {values_.data() + learner * numel_, numel_};
  }

 private:
  std::uint32_t learners_;
  std::uint64_t numel_;
  std::vector<float> values_;
};

}  // namespace traincast
