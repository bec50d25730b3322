#include "workloads/capture/mean_gradient.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.hpp"

namespace traincast {

namespace {

// Doubles of the sums that stay in the first cache while learners are added.
constexpr std::size_t kPiece = 1024;
// Bytes of gradients that a thread may hold until they are added, and how many at most.
constexpr std::uint64_t kHeld = 8u << 20;
constexpr std::uint64_t kMostHeld = 8;

void add_to(double* sum, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) sum[i] += static_cast<double>(values[i]);
}

bool all_finite(const float* values, std::size_t count) {
  constexpr std::uint32_t kExponent = 0x7f800000;  // all ones: infinite, or no number
  std::uint32_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i)
    wrong |= (std::bit_cast<std::uint32_t>(values[i]) & kExponent) == kExponent;
  return wrong == 0;
}

}  // namespace

std::uint32_t summed_at_once(std::uint64_t parameters, std::uint32_t learners, unsigned threads) {
  const std::uint64_t fit = kHeld / (parameters * sizeof(float)), fair = learners / (2 * threads);
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(std::min({kMostHeld, fit, fair}), 1));
}

MeanGradient::MeanGradient(const std::vector<TensorInfo>& layers) : layers_(layers) {
  for (const TensorInfo& layer : layers) {
    sums_.emplace_back(layer.numel());
    mean_.emplace_back(layer.numel());
  }
}

void MeanGradient::begin() {
  loss_ = 0;
  next_ = 0;
  abandoned_ = false;
}

bool MeanGradient::add(LearnerId first, std::uint32_t count, const Gradient& gradient,
                       std::span<const double> losses) {
  {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return abandoned_ || next_ == first; });
    if (abandoned_) return false;
  }
  // Only those whose turn it is come here.
  std::vector<const float*> values(count);
  for (std::uint32_t id = 0; id < sums_.size(); ++id) {
    for (std::uint32_t i = 0; i < count; ++i) values[i] = gradient(i, id).data();
    std::vector<double>& sum = sums_[id];
    for (std::size_t begin = 0; begin < sum.size(); begin += kPiece) {
      const std::size_t end = std::min(begin + kPiece, sum.size());
      if (first == 0) std::fill(sum.data() + begin, sum.data() + end, 0.0);
      for (const float* of_learner : values) add_to(sum.data() + begin, of_learner + begin, end - begin);
    }
  }
  for (double loss : losses) loss_ += loss;
  {
    std::lock_guard lock(mutex_);
    next_ += count;
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
  const double learners = next_;
  for (std::size_t id = 0; id < sums_.size(); ++id) {
    const double* sum = sums_[id].data();
    float* mean = mean_[id].data();
    const std::size_t size = sums_[id].size();
    for (std::size_t i = 0; i < size; ++i) mean[i] = static_cast<float>(sum[i] / learners);
    if (all_finite(mean, size)) continue;
    const auto wrong = std::ranges::find_if_not(mean_[id], [](float value) { return std::isfinite(value); });
    throw SimulationError("the gradient of '" + layers_[id].name + "' is not finite at index " +
                          std::to_string(wrong - mean_[id].begin()) +
                          ": training diverged; lower learning_rate or momentum");
  }
  return mean_;
}

double MeanGradient::mean_loss() const { return loss_ / next_; }

}  // namespace traincast
