// What low-rank methods send as it is: vectors, and matrices that are too small to gain.
#pragma once

#include "compressors/compressor.hpp"

namespace traincast {

/// Sums the unit in flight, divides by N, and reports it as sent without loss.
void send_whole(Group& group, unsigned phase, bool waits, const GradientSource& source,
                Contributions& contributions, std::span<float> average);

}  // namespace traincast
