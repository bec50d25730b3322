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

/// Learners are added in their order, whichever thread has computed them; a thread waits for its learner's
/// turn.
class MeanGradient {
 public:
  explicit MeanGradient(const std::vector<TensorInfo>& layers);

  void begin();
  /// Adds learner 0, 1, … in turn; false where abandon() was called meanwhile.
  bool add(LearnerId learner, const std::function<std::span<const float>(std::uint32_t tensor)>& gradient,
           double loss);
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
