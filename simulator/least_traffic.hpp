// How few bytes a collective can do with, whichever algorithm carries it.
#pragma once

#include <cstdint>

#include "base/exchange.hpp"

namespace traincast {

/// Bytes that its learners (and servers) send in sum at least. Nothing where the word leaves it open: sparse
/// sums, whose bytes depend on where supports meet, and neighbours.
Bytes least_traffic(const Op& op, std::uint32_t learners);

}  // namespace traincast
