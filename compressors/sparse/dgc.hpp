// Parts of DGC that are known in figures apart from the method.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/draws.hpp"

namespace traincast {

struct DgcWarmUp {
  std::uint64_t epochs = 0;
  bool as_coded = false;
};

/// Density in an epoch: density^((e+1)/E) for e below E (Lin et al. 2018, section 3.3), or with E + 1 in
/// place of E (the authors' code).
double dgc_density(const DgcWarmUp& warm_up, double density, double epoch);

/// About the k largest magnitudes, by a threshold from a sample.
std::vector<Index> sampled_largest(std::span<const float> values, std::uint64_t k, double sample_share,
                                   const Draws& draws);

}  // namespace traincast
