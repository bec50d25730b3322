#include "simulator/training/similarity.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "compressors/kernels/kernels.hpp"

namespace traincast {

// Of unit vectors u_i, ‖Σ u_i‖² = n + Σ_{i≠j} cos(u_i, u_j): one pass over the learners, not over the pairs.
double mean_cosine_distance(std::size_t parts, std::uint32_t learners, const PartOf& part_of) {
  if (parts == 0) return NAN;
  std::vector<double> norms(learners, 0.0);
  for (std::size_t part = 0; part < parts; ++part)
    for (LearnerId i = 0; i < learners; ++i) {
      const std::span<const float> x = part_of(part, i);
      norms[i] += kernels().sum_of_squares(x.data(), x.size());
    }
  double n = 0, square = 0;
  for (double& norm : norms) {
    norm = std::sqrt(norm);
    n += norm > 0;
  }
  if (n < 2) return NAN;
  std::vector<double> sum;
  for (std::size_t part = 0; part < parts; ++part) {
    sum.assign(part_of(part, 0).size(), 0.0);
    for (LearnerId i = 0; i < learners; ++i) {
      if (!(norms[i] > 0)) continue;
      const std::span<const float> x = part_of(part, i);
      for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += static_cast<double>(x[e]) / norms[i];
    }
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
