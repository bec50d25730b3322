#include "simulator/scenario/trial_run.hpp"

#include <numeric>

#include "base/error.hpp"
#include "compressors/error_feedback.hpp"

namespace traincast {

namespace {

// Different in every place, so that no method meets a tie or a zero.
class AnyNumbers : public GradientSource {
 public:
  void read(LearnerId, std::span<float> into) const override {
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = 1.0f + static_cast<float>(static_cast<std::uint32_t>(i * 2654435761u)) * 0x1p-32f;
  }
};

}  // namespace

std::vector<Phase> trial_phases(const Choice<MakeCompressor>& method, std::uint64_t seed, const Bucket& unit,
                                std::uint32_t learners, std::uint32_t stands_for, ErrorRule rule) {
  std::vector<LearnerId> all(learners);
  std::iota(all.begin(), all.end(), LearnerId{0});
  const std::vector<double> norms(learners, 1.0);
  Group group(learners, stands_for);
  std::vector<float> average(unit.numel());
  ErrorFeedback feedback(method.entry->make(method.parameters, seed), rule, learners, unit.numel());
  feedback.aggregate({0, 0, 0, all, norms}, unit, AnyNumbers(), group, average);
  return group.phases();
}

std::set<Word> words_sent(const Choice<MakeCompressor>& method, std::uint64_t seed) {
  constexpr std::uint32_t kLearners = 2;
  std::set<Word> words;
  try {
    for (const TensorInfo& tensor :
         {TensorInfo{0, "matrix", {64, 64}, "linear.weight"}, TensorInfo{1, "vector", {64}, "bias"}})
      for (const Phase& phase : trial_phases(method, seed, {tensor.id, {tensor}}, kLearners, kLearners, {}))
        if (phase.op) words.insert(phase.op->word);
  } catch (const InputError&) {  // what a method refuses, it refuses with its own tensors
  }
  return words;
}

}  // namespace traincast
