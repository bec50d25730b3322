// Recursive-doubling all-gather: partners at distances 1, 2, 4 … swap everything that they hold.
// Thakur, Rabenseifner and Gropp 2005.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto messages = Division::of_sizes(collective.bytes);
  return make_schedule(ranks,
                       [ranks, messages](Rank rank) { return recursive_doubling(rank, ranks, messages); });
}

// The round at distance d waits for the aligned group of d ranks that holds most. From distance `sharing` on,
// all ranks behind one link send at once.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  auto messages = Division::of_sizes(collective.bytes);
  double seconds = 0;
  for (std::uint32_t distance = 1; distance < collective.ranks; distance *= 2) {
    std::uint64_t largest = 0;
    for (std::uint32_t first = 0; first < collective.ranks; first += distance)
      largest = std::max(largest, messages.start(first + distance) - messages.start(first));
    seconds += transfer_seconds(static_cast<double>(largest), between_partners(distance, network),
                                flows_across(distance, network));
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kRecursiveDoublingAllGather{Word::all_gather, refuses_unless_power_of_two, schedule,
                                                      estimate};

}  // namespace traincast
