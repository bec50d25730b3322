// Random rotations: signs from a seed that all share, then a Walsh–Hadamard transform. A rotated vector's
// entries are alike in size, whatever the vector was.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compressors/draws.hpp"

namespace traincast {

class Parameters;

/// Elements of a rotated vector: `numel` filled up with zeros to whole blocks of `block` (a power of two),
/// or, where that is 0 or the vector is shorter, to the next power of two.
std::uint64_t rotated_size(std::uint64_t numel, std::uint64_t block);

/// H diag(±1) x / √D in each block of D elements.
std::vector<float> rotated(std::span<const float> values, std::uint64_t block, const Draws& shared);

/// The inverse; cut to `numel`. What `rotated` gave comes back up to rounding.
std::vector<float> rotated_back(std::vector<float> values, std::uint64_t numel, std::uint64_t block,
                                const Draws& shared);

/// Of the parameter "block"; throws InputError where it is no power of two.
std::uint64_t rotation_block(const Parameters& parameters);

}  // namespace traincast
