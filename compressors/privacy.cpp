#include "compressors/privacy.hpp"

#include <cmath>

namespace traincast {

double renyi_divergence(const GaussianReleases& mechanism, double order) {
  return static_cast<double>(mechanism.releases) * order / (2 * mechanism.noise * mechanism.noise);
}

// With D(α) = ρα the sum is least where ρ = ln(1/δ)/(α − 1)².
double epsilon(const GaussianReleases& mechanism, double delta) {
  const double rate = renyi_divergence(mechanism, 1), bound = std::log(1 / delta);
  if (rate == 0) return 0;
  const double order = 1 + std::sqrt(bound / rate);
  return renyi_divergence(mechanism, order) + bound / (order - 1);
}

// ε = ρ + 2√(ρ ln(1/δ)), solved for ρ = releases / (2 noise²).
double noise_for(double epsilon, double delta, std::uint64_t releases) {
  const double bound = std::log(1 / delta);
  const double root = epsilon / (std::sqrt(bound + epsilon) + std::sqrt(bound));
  return std::sqrt(static_cast<double>(releases) / 2) / root;
}

}  // namespace traincast
