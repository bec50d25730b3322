// Error feedback around any compressor: what was not sent is remembered per learner and added to the next
// gradient.
#pragma once

#include <memory>

#include "compressors/compressor.hpp"
#include "compressors/learner_vectors.hpp"

namespace traincast {

/// Statistics of the memories and of what was sent, gathered while the wrapped compressor runs.
struct ContributionRecord {
  /// Elements in the union of the supports of learners 0 … h, by h; empty where nothing reported a support.
  std::vector<std::uint64_t> union_by_hop;
  std::uint64_t support = 0;  ///< sum over learners of |support|
  /// By learner, its support; empty unless that is kept.
  std::vector<std::vector<Index>> supports{};
};

/// Whose memories are kept.
enum class Memories {
  each,
  mean,  ///< their mean alone, and one learner with the mean gradient stands for all: for linear methods the
         ///< same in exact arithmetic, at the cost of one learner beyond reading the gradients once
};

/// One unit of one run: a compressor and the error memories of its learners.
class ErrorFeedback {
 public:
  /// `seed`, of a memory that is rounded at random; where memories of floats are changes no number.
  ErrorFeedback(std::unique_ptr<Compressor> inner, ErrorRule rule, std::uint32_t learners,
                std::uint64_t numel, Memories memories = Memories::each, std::uint64_t seed = 0,
                HeldIn held_in = HeldIn::memory);
  ErrorFeedback(ErrorFeedback&&) noexcept;
  ErrorFeedback& operator=(ErrorFeedback&&) noexcept;
  ~ErrorFeedback();

  /// One step. `gradients` is the raw source; the compressor sees gradient + memory, and `average` comes back
  /// in the gradients' units. The addition is recorded
  /// in the group as encoding in phase 0, the update of the memories as encoding in the phase of the first
  /// report, for the "global" error as decoding in the last phase (a further one, where that has a
  /// collective). Reading the raw gradient, which no real learner would do, is not charged.
  ContributionRecord aggregate(const Step& step, const Bucket& unit, const GradientSource& gradients,
                               Group& group, std::span<float> average);
  /// The same where the mean of memories is kept, from the mean of the gradients.
  ContributionRecord aggregate_mean(const Step& step, const Bucket& unit,
                                    std::span<const float> mean_gradient, Group& group,
                                    std::span<float> average);

  /// Records hold every learner's support from now on.
  void keep_supports();

  /// Learner's memory before the next step: the rule's (the mean of all, where that is kept), or the method's
  /// own; empty where neither keeps one. Good until the next call.
  std::span<const float> memory(LearnerId learner) const;
  /// What a memory is worth in gradients of this step: 1, or 1 / learning rate where it is one of updates.
  double memory_in_gradients(const Step& step) const;

  /// Memories in learner order, momenta, then the compressor's own state.
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  ContributionRecord run(const Step& step, const Bucket& unit, const GradientSource& gradients, Group& group,
                         std::span<float> average);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace traincast
