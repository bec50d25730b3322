// THC's table: which whole numbers the codes stand for.
#pragma once

#include <cstdint>
#include <vector>

namespace traincast {

/// 2^bits rising whole numbers from 0 to `granularity`, such that stochastic rounding to them of normal
/// numbers cut at ±`limit` (0 standing for −limit, granularity for +limit) has the least mean square error.
std::vector<std::uint32_t> thc_table(unsigned bits, std::uint32_t granularity, double limit);

/// The magnitude that a share `outside` of normal numbers exceeds.
double normal_limit(double outside);

}  // namespace traincast
