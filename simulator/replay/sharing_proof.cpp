#include "simulator/replay/sharing_proof.hpp"

namespace traincast {

namespace {

std::string described(Rank from, Rank to, std::uint32_t channel) {
  return "learner " + std::to_string(from) + " → " + std::to_string(to) +
         (channel > 0 ? " on channel " + std::to_string(channel) : "");
}

}  // namespace

// Pairs of which any two have a sender or a receiver in common have one that is common to all; so it is
// enough to compare a new pair with two of them.
void SharingProof::add(Rank from, Rank to, std::uint32_t channel, std::span<const LinkId> route) {
  for (LinkId link : route) {
    Users& users = users_[link];
    auto compare = [&](const Pair& other) {
      if (other.channel == channel && (other.from == from || other.to == to)) return;
      throw NotProven{"link '" + links_[link].name + "' may carry " +
                      described(other.from, other.to, other.channel) + " and " +
                      described(from, to, channel) + " at once"};
    };
    if (users.pairs > 0) compare(users.first);
    if (users.pairs > 1) compare(users.second);
    if (users.pairs < 2) (users.pairs++ == 0 ? users.first : users.second) = {from, to, channel};
  }
}

}  // namespace traincast
