// The quantisation of EDEN after its rotation.
#pragma once

#include <span>

namespace traincast {

/// Centroids of the best quantiser of N(0, 1) with 2^bits levels (Max 1960), the positive half, rising; bits
/// from 1 to 4.
std::span<const float> normal_centroids(unsigned bits);

}  // namespace traincast
