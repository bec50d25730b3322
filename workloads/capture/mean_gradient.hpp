// The mean of the learners' gradients, the same to the bit for any number of threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

/// How many learners' gradients a thread computes before it adds them: reading and writing the sums takes
/// longer than adding, and is done once for all of them. Few where they would take much memory, or where
/// learners are few.
std::uint32_t summed_at_once(std::uint64_t parameters, std::uint32_t learners, unsigned threads);

/// Learners are added in their order, whichever thread has computed them; a thread waits for its learners'
/// turn. The sum does not depend on how many are added at once.
class MeanGradient {
 public:
  /// A tensor of the i-th of the learners that are added.
  using Gradient = std::function<std::span<const float>(std::uint32_t i, std::uint32_t tensor)>;

  explicit MeanGradient(const std::vector<TensorInfo>& layers);

  void begin();
  /// Adds learners first … first + count − 1, in turn; false where abandon() was called meanwhile.
  bool add(LearnerId first, std::uint32_t count, const Gradient& gradient, std::span<const double> losses);
  void abandon();  ///< lets everyone go who waits for a turn

  /// Once all have been added: the mean of each tensor. Throws SimulationError where a value is not finite.
  std::span<const std::vector<float>> mean();
  double mean_loss() const;

 private:
  const std::vector<TensorInfo>& layers_;
  std::vector<std::vector<double>> sums_;
  std::vector<std::vector<float>> mean_;
  double loss_ = 0;
  std::mutex mutex_;
  std::condition_variable turn_;
  LearnerId next_ = 0;
  bool abandoned_ = false;
};

}  // namespace traincast
