#include "workloads/capture/mean_gradient.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace traincast {

MeanGradient::MeanGradient(const std::vector<TensorInfo>& layers) : layers_(layers) {
  for (const TensorInfo& layer : layers) {
    sums_.emplace_back(layer.numel());
    mean_.emplace_back(layer.numel());
  }
}

void MeanGradient::begin() {
  for (auto& sum : sums_) std::fill(sum.begin(), sum.end(), 0.0);
  loss_ = 0;
  next_ = 0;
  abandoned_ = false;
}

bool MeanGradient::add(LearnerId learner,
                       const std::function<std::span<const float>(std::uint32_t)>& gradient, double loss) {
  {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return abandoned_ || next_ == learner; });
    if (abandoned_) return false;
  }
  // Only the learner whose turn it is comes here.
  for (std::uint32_t id = 0; id < sums_.size(); ++id) {
    std::span<const float> values = gradient(id);
    double* sum = sums_[id].data();
    for (std::size_t i = 0; i < values.size(); ++i) sum[i] += static_cast<double>(values[i]);
  }
  loss_ += loss;
  {
    std::lock_guard lock(mutex_);
    ++next_;
  }
  turn_.notify_all();
  return true;
}

void MeanGradient::abandon() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  turn_.notify_all();
}

std::span<const std::vector<float>> MeanGradient::mean() {
  for (std::size_t id = 0; id < sums_.size(); ++id)
    for (std::size_t i = 0; i < sums_[id].size(); ++i) {
      double value = sums_[id][i] / next_;
      mean_[id][i] = static_cast<float>(value);
      if (!std::isfinite(mean_[id][i]))
        throw SimulationError("the gradient of '" + layers_[id].name + "' is not finite at index " +
                              std::to_string(i) + ": training diverged; lower learning_rate or momentum");
    }
  return mean_;
}

double MeanGradient::mean_loss() const { return loss_ / next_; }

}  // namespace traincast
