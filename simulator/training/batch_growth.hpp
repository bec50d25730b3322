// Mini-batches that grow by the norm test.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "base/serial.hpp"
#include "simulator/pass/compression_pass.hpp"

namespace traincast {

/// The size of the learners' mini-batches, in those of the workload's size: so many are taken as one. One,
/// where the scenario asks for no growth.
class BatchGrowth {
 public:
  explicit BatchGrowth(const Scenario& scenario);

  struct Batches {
    std::uint64_t first;  ///< counted from the first of training
    std::uint32_t count;
  };
  /// What the next step takes; no more than are left.
  Batches take();

  /// The learners average now: whether the test is due.
  bool is_due();
  /// The next step's size, from what all learners' gradients of this step were.
  void test(std::span<const std::span<const float>> gradients);
  /// What the test sends and computes, in a phase before those of the record, which is there, empty, where
  /// the test was not due. Without `mean_is_there` the gradients are summed for it, beside what the method
  /// sends.
  void charge(StepRecord& record, std::span<const Bucket> buckets, bool tested, bool mean_is_there) const;

  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  double noise_;
  std::uint64_t every_, steps_;
  std::uint32_t learners_, largest_ = 1, now_ = 1;
  std::uint64_t taken_ = 0, averagings_ = 0;
};

/// By how much a batch must grow for the test to hold: the variance of the learners' mean gradient, estimated
/// from their differences, over (noise · ‖mean‖)². Infinite where the mean vanishes; 0 where nothing differs.
double growth_of_norm_test(std::span<const std::span<const float>> gradients, double noise);

}  // namespace traincast
