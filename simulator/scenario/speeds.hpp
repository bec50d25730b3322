// How fast each learner computes beside the others.
#pragma once

#include <cstdint>
#include <vector>

#include "base/catalog.hpp"

namespace traincast {

/// By learner, how many times as long as stated it computes; empty where all compute as stated.
using MakeSpeeds = std::vector<double> (*)(const Parameters& parameters, std::uint32_t learners);

const Catalog<MakeSpeeds>& speed_catalog();

}  // namespace traincast
