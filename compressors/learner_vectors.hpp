// One vector for each learner, zero at first: in one block, so that all of it goes back to the system at the
// end, however large.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "base/scratch_file.hpp"

namespace traincast {

/// Where learners' vectors are.
enum class HeldIn {
  memory,
  file,  ///< in a file of the temporary folder, of which about one learner's vector is in memory at a time
};

class LearnerVectors {
 public:
  LearnerVectors(std::uint32_t learners, std::uint64_t numel, HeldIn held_in = HeldIn::memory)
      : learners_(learners), numel_(numel) {
    if (held_in == HeldIn::memory) {
      values_.assign(learners * numel, 0.0f);
      first_ = values_.data();
      distance_ = numel;
      return;
    }
    const std::uint64_t page = ScratchFile::page() / sizeof(float);
    distance_ = (numel + page - 1) / page * page;
    file_.emplace(learners * distance_ * sizeof(float));
    first_ = reinterpret_cast<float*>(file_->bytes().data());
  }

  std::uint32_t size() const { return learners_; }
  bool empty() const { return learners_ == 0; }
  std::span<float> operator[](LearnerId learner) { return {row(learner), numel_}; }
  std::span<const float> operator[](LearnerId learner) const { return {row(learner), numel_}; }

 private:
  float* row(LearnerId learner) const {
    if (file_ && touched_ != learner) {
      const std::uint64_t bytes = distance_ * sizeof(float);
      file_->rest(touched_ * bytes, bytes);
      touched_ = learner;
    }
    return first_ + learner * distance_;
  }

  std::uint32_t learners_;
  std::uint64_t numel_, distance_ = 0;  // from one learner's vector to the next
  std::vector<float> values_;
  std::optional<ScratchFile> file_;
  float* first_ = nullptr;
  mutable LearnerId touched_ = 0;  // last
};

}  // namespace traincast
