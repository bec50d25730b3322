// What two ranks must agree on to exchange a message, and how a rank that waits is described. The same words
// whatever replays the transfers.
#pragma once

#include <string>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// Throws SimulationError where an action names no other rank of the collective.
void check_peer(Rank rank, std::size_t ranks, const Action& action, const std::string& collective);

/// Throws SimulationError where a receiver waits for another size than it is sent.
void check_sizes(Rank sender, Rank receiver, Bytes sent, Bytes awaited, const std::string& collective);

std::string waits_for_message(Rank rank, Rank sender, const std::string& collective);
std::string waits_until_taken(Rank rank, Rank receiver, const std::string& collective);

}  // namespace traincast
