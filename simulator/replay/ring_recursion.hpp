// Rounds around a ring whose hops share no link, as a recursion over arrival times: the max-plus form of the
// programs' rules.
#pragma once

#include <span>
#include <vector>

#include "simulator/collectives/schedule.hpp"
#include "simulator/collectives/transport.hpp"

namespace traincast {

/// The hop from each rank to the next.
struct RingHops {
  std::vector<double> latency;           ///< in seconds
  std::vector<double> seconds_per_byte;  ///< of its narrowest link
};

/// When each rank has finished, given when each enters. At least two ranks.
std::vector<double> ring_recursion(const RingShape& shape, const RingHops& hops, const Transport& transport,
                                   std::span<const double> enter);

/// What each rank sends in all rounds.
std::vector<Bytes> ring_sent_bytes(const RingShape& shape);

}  // namespace traincast
