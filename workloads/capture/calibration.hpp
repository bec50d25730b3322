// From the seconds that primitives take on a device to the numbers that describe it as an accelerator. No
// LibTorch here.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "base/exchange.hpp"
#include "base/json.hpp"

namespace traincast {

/// Of one such piece of work, with the sizes of base/exchange.hpp's Work.
using PrimitiveSeconds = std::function<double(Primitive, std::array<std::uint64_t, 3>)>;

/// The parameters of an accelerator (platforms/accelerators) with which its closed forms give these seconds
/// back at the sizes that are tried here: launches from vectors that fit a cache line, rates from vectors of
/// so many elements, which must fit no cache, three of them. Shares that cannot be told apart from the rest
/// (efficiency, memory_efficiency) are 1.
Json calibrated_numbers(const PrimitiveSeconds& seconds, double synchronisation_s, std::uint64_t longest);

/// Measures with LibTorch's operations, as a program in PyTorch would call them, one thread on a processor,
/// and gives the description as a scenario's "accelerator": {"name": "file"} reads it.
Json calibrate(bool cuda);

}  // namespace traincast
