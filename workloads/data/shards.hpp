// Which samples a learner sees at which step: every learner has a shard of its own and walks it in
// mini-batches, in a new order every epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "base/exchange.hpp"
#include "workloads/data/batch.hpp"

namespace traincast {

struct Shards {
  std::uint64_t seed = 0;
  std::uint64_t samples_per_learner = 1;
  std::uint64_t batch = 1;  ///< at most samples_per_learner

  /// Learner l has the samples [l, l + 1) · samples_per_learner, without regard to their class. What is left
  /// of an epoch after its last whole mini-batch is not used in it.
  std::vector<std::uint64_t> sample_indices(LearnerId learner, std::uint64_t step) const;
  void fill(LearnerId learner, std::uint64_t step, Batch& into) const;
};

}  // namespace traincast
