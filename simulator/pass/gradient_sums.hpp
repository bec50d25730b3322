// Sums of the learners' gradients: what a method's error is measured against. They do not depend on the
// method, and those of few learners are the beginning of those of more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "workloads/trace/trace.hpp"

namespace traincast {

/// Of one tensor in one step.
struct GradientSum {
  std::vector<double> sum;  ///< added up in the order of learners
  double squares = 0;       ///< Σ over learners of ‖gradient‖²
};

class GradientSums {
 public:
  /// `numbers` of learners that will be asked for: on the way to a larger number the smaller ones' sums are
  /// kept as well, as long as all take no more than `most_bytes`. What is not kept is summed again.
  GradientSums(const GradientTrace& trace, std::vector<std::uint32_t> numbers, double most_bytes);

  /// Of learners 0 … learners − 1; the same to the bit however it came about. Thread-safe.
  std::shared_ptr<const GradientSum> of(std::size_t step, std::uint32_t tensor, std::uint32_t learners);

 private:
  struct Slot {
    std::mutex mutex;  // held while somebody adds up: others need the same
    std::map<std::uint32_t, std::shared_ptr<const GradientSum>> kept;  // by number of learners
  };
  bool take_room(double bytes);

  const GradientTrace& trace_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::vector<std::unique_ptr<Slot>>> slots_;  // by step and tensor
  std::mutex room_mutex_;
  double room_;
};

}  // namespace traincast
