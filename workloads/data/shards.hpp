// Which samples a learner sees at which step: every learner has a shard of its own and walks it in
// mini-batches, in a new order every epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/data/dataset.hpp"

namespace traincast {

/// How samples are dealt out: "iid"; "dirichlet", each learner's classes in proportions drawn from
/// Dirichlet(α) (Hsu et al. 2019); "classes", each learner samples of so many classes (McMahan et al. 2017,
/// section 3).
struct ShardRule {
  enum class Kind { iid, dirichlet, classes } kind = Kind::iid;
  double alpha = 1;
  std::uint64_t classes = 2;
};

const Catalog<ShardRule::Kind>& shard_catalog();
ShardRule read_shards(const JsonReader& at);

class Shards {
 public:
  /// Throws InputError where the data have too few samples (by class: of single classes), or no classes where
  /// the rule needs them. Learner
  /// l's shard depends on how many others there are only where classes are skewed.
  Shards(const Dataset& data, ShardRule rule, std::uint32_t learners, std::uint64_t samples_per_learner,
         std::uint64_t batch, std::uint64_t seed);

  /// What is left of an epoch after its last whole mini-batch is not used in it.
  std::vector<std::uint64_t> sample_indices(LearnerId learner, std::uint64_t step) const;
  /// Of so many steps, from there on, the mini-batches as one.
  void fill(LearnerId learner, std::uint64_t step, Batch& into, std::uint32_t steps = 1) const;

  /// How much memory dealing takes at most.
  static double bytes(const Dataset& data, ShardRule rule, std::uint32_t learners,
                      std::uint64_t samples_per_learner);

 private:
  std::uint64_t sample(LearnerId learner, std::uint64_t place) const;
  void deal_by_proportion(std::vector<std::vector<std::uint64_t>> of_class, double alpha,
                          std::uint32_t learners);
  void deal_by_class(std::vector<std::vector<std::uint64_t>> of_class, std::uint64_t classes,
                     std::uint32_t learners);

  const Dataset& data_;
  std::uint64_t each_, batch_, seed_;
  std::vector<std::uint64_t> dealt_;  ///< learners × each; empty: one shard behind the other
};

}  // namespace traincast
