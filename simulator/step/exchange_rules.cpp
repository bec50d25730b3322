#include "simulator/step/exchange_rules.hpp"

#include "base/error.hpp"

namespace traincast {

namespace {

std::string learner(Rank rank) { return "learner " + std::to_string(rank); }

}  // namespace

void check_peer(Rank rank, std::size_t ranks, const Action& action, const std::string& collective) {
  if (action.peer < ranks && action.peer != rank) return;
  throw SimulationError("replay: " + learner(rank) + " of " + std::to_string(ranks) +
                        " cannot exchange messages with " + learner(action.peer) + " in " + collective);
}

void check_sizes(Rank sender, Rank receiver, Bytes sent, Bytes awaited, const std::string& collective) {
  if (sent == awaited) return;
  throw SimulationError("replay: " + learner(sender) + " sends " + std::to_string(sent) + " bytes to " +
                        learner(receiver) + ", which waits for " + std::to_string(awaited) + " in " +
                        collective);
}

std::string waits_for_message(Rank rank, Rank sender, const std::string& collective) {
  return learner(rank) + " waits for a message from " + learner(sender) + " in " + collective;
}

std::string waits_until_taken(Rank rank, Rank receiver, const std::string& collective) {
  return learner(rank) + " waits until " + learner(receiver) + " takes its message in " + collective;
}

}  // namespace traincast
