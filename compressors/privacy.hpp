// What Gaussian noise costs in privacy, by Rényi differential privacy. Mironov 2017 (arXiv 1702.07476).
#pragma once

#include <cstdint>

namespace traincast {

/// A mechanism that adds N(0, (noise · sensitivity)²) to every number that it releases, so many times. There
/// is no amplification by sampling in it: every learner takes part in every release.
struct GaussianReleases {
  double noise = 1;
  std::uint64_t releases = 1;
};

/// Rényi divergence of the given order, above 1: releases · order / (2 · noise²) (Corollary 3; releases add
/// up, Proposition 1).
double renyi_divergence(const GaussianReleases& mechanism, double order);

/// The least ε over all orders with which the releases are (ε, δ)-private: min over α of
/// D(α) + ln(1/δ)/(α − 1) (Proposition 3).
double epsilon(const GaussianReleases& mechanism, double delta);

/// The noise with which so many releases have exactly this ε at δ.
double noise_for(double epsilon, double delta, std::uint64_t releases);

}  // namespace traincast
