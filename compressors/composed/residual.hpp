// Two methods one behind the other: the second sends what the first left.
#pragma once

#include <memory>

#include "compressors/compressor.hpp"

namespace traincast {

/// Averages add up, and so do contributions. Both see the same units; neither may remember by itself.
std::unique_ptr<Compressor> make_residual(std::unique_ptr<Compressor> first,
                                          std::unique_ptr<Compressor> second);

}  // namespace traincast
