// The thresholds of SIDCo, apart from its catalog entry for what is known of them in figures.
#pragma once

#include <span>

namespace traincast {

/// What |g| is taken to be distributed like.
enum class Sparsity { exponential, gamma, pareto };

/// A magnitude that a share `density` of the values should exceed, from `stages` fits: the first to all
/// values, each further one to those that exceed the threshold before (Abdelmoniem et al. 2021, Lemma 1 and
/// Algorithm 1; shares as in the authors' code). The gamma fit goes on with Pareto fits.
double sidco_threshold(std::span<const float> values, double density, Sparsity fit, unsigned stages);

}  // namespace traincast
