// Point-to-point rounds that a method writes itself: each message is an element of the buffer, in the order
// of the rounds.
#include <algorithm>
#include <set>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::string refuses(const Collective& collective) {
  if (!collective.rounds) return "";
  for (std::size_t t = 0; t < collective.rounds->size(); ++t) {
    std::set<Rank> senders, receivers;
    for (const Transfer& transfer : (*collective.rounds)[t]) {
      bool possible =
          transfer.from != transfer.to && transfer.from < collective.ranks && transfer.to < collective.ranks;
      if (!possible || !senders.insert(transfer.from).second || !receivers.insert(transfer.to).second)
        return "cannot send from " + std::to_string(transfer.from) + " to " + std::to_string(transfer.to) +
               " in round " + std::to_string(t);
    }
  }
  return "";
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  return make_schedule(collective.ranks, [rounds = collective.rounds](Rank rank) {
    std::vector<Action> actions;
    std::uint64_t element = 0;
    for (std::size_t t = 0; rounds && t < rounds->size(); ++t) {
      std::vector<Action> taken;
      for (const Transfer& transfer : (*rounds)[t]) {
        if (transfer.from == rank)
          actions.push_back({Action::Kind::send, transfer.to, element, element + 1, transfer.bytes});
        if (transfer.to == rank)
          taken.push_back({Action::Kind::receive, transfer.from, element, element + 1, transfer.bytes});
        ++element;
      }
      actions.insert(actions.end(), taken.begin(), taken.end());
    }
    return steps(std::move(actions));
  });
}

// Every round waits for its largest message.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double seconds = 0;
  for (std::size_t t = 0; collective.rounds && t < collective.rounds->size(); ++t) {
    Bytes largest = 0;
    for (const Transfer& transfer : (*collective.rounds)[t]) largest = std::max(largest, transfer.bytes);
    if (!(*collective.rounds)[t].empty()) seconds += transfer_seconds(static_cast<double>(largest), network);
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kGivenRounds{Word::rounds, refuses, schedule, estimate};

}  // namespace traincast
