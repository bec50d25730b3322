#include "simulator/training/similarity.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "compressors/kernels/kernels.hpp"

namespace traincast {

// Of unit vectors u_i, ‖Σ u_i‖² = n + Σ_{i≠j} cos(u_i, u_j): one pass over the learners, not over the pairs.
double mean_cosine_distance(std::span<const std::vector<std::span<const float>>> parts) {
  if (parts.empty()) return NAN;
  std::vector<double> norms(parts.front().size(), 0.0);
  for (const auto& by_learner : parts)
    for (std::size_t i = 0; i < by_learner.size(); ++i)
      norms[i] += kernels().sum_of_squares(by_learner[i].data(), by_learner[i].size());
  double n = 0, square = 0;
  for (double& norm : norms) {
    norm = std::sqrt(norm);
    n += norm > 0;
  }
  if (n < 2) return NAN;
  std::vector<double> sum;
  for (const auto& by_learner : parts) {
    sum.assign(by_learner.front().size(), 0.0);
    for (std::size_t i = 0; i < by_learner.size(); ++i)
      if (norms[i] > 0)
        for (std::size_t e = 0; e < sum.size(); ++e)
          sum[e] += static_cast<double>(by_learner[i][e]) / norms[i];
    for (double value : sum) square += value * value;
  }
  return 1 - (square - n) / (n * (n - 1));
}

void SelectionDistance::add(std::span<const std::vector<Index>> choices, std::span<const double> values) {
  std::map<std::size_t, double> least;  // by k, the k-th largest magnitude
  std::vector<double> magnitudes;
  for (const std::vector<Index>& choice : choices) {
    const std::size_t k = choice.size();
    if (k == 0) continue;
    auto [known, fresh] = least.try_emplace(k, 0.0);
    if (fresh) {
      magnitudes.assign(values.begin(), values.end());
      for (double& value : magnitudes) value = std::abs(value);
      auto kth = magnitudes.begin() + static_cast<std::ptrdiff_t>(k - 1);
      std::nth_element(magnitudes.begin(), kth, magnitudes.end(), std::greater<>());
      known->second = *kth;
    }
    chosen_ += k;
    for (Index place : choice) outside_ += std::abs(values[place]) < known->second;
  }
}

double SelectionDistance::value() const {
  return chosen_ > 0 ? static_cast<double>(outside_) / static_cast<double>(chosen_) : NAN;
}

}  // namespace traincast
