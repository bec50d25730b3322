// Bruck's all-gather: in the round at distance d, a rank hands the d messages that follow its own (as many as
// are missing in the last round) to the rank d before it. Bruck et al. 1997; any number of ranks.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::uint32_t carried(std::uint32_t distance, std::uint32_t ranks) {
  return std::min(distance, ranks - distance);
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto messages = Division::of_sizes(collective.bytes);
  return make_schedule(ranks, [ranks, messages](Rank rank) {
    return rounds(tree_rounds(ranks), [=](std::uint32_t t) {
      std::uint32_t distance = 1U << t, count = carried(distance, ranks);
      Rank before = (rank + ranks - distance) % ranks, ahead = (rank + distance) % ranks;
      return Round{messages.action(Action::Kind::send, before, rank, rank + count),
                   messages.action(Action::Kind::receive, ahead, ahead, ahead + count)};
    });
  });
}

// A round waits for the run of neighbours that holds most.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  auto messages = Division::of_sizes(collective.bytes);
  double seconds = 0;
  for (std::uint32_t distance = 1; distance < collective.ranks; distance *= 2) {
    std::uint32_t count = carried(distance, collective.ranks);
    std::uint64_t largest = 0;
    for (Rank rank = 0; rank < collective.ranks; ++rank)
      largest = std::max(largest, messages.start(rank + count) - messages.start(rank));
    seconds += transfer_seconds(static_cast<double>(largest), network, flows_ahead(distance, network));
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kBruckAllGather{Word::all_gather, refuses_nothing, schedule, estimate};

}  // namespace traincast
