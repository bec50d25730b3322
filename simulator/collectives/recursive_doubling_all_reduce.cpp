// Recursive-doubling all-reduce: partners at distances 1, 2, 4 … exchange and sum whole buffers; where N is
// no power of two, each rank that sits out hands its buffer to its neighbour and gets the sum from there.
// Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  Fold fold(collective.ranks);
  auto whole = Division::even(collective.count, 1, collective.element_bytes);
  return make_schedule(collective.ranks,
                       [fold, whole](Rank rank) { return recursive_doubling_sum(rank, fold, whole); });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  Fold fold(collective.ranks);
  double size = buffer_bytes(collective);
  double seconds = fold.others > 0 ? reduction_seconds(size, network) + transfer_seconds(size, network) : 0;
  for (std::uint32_t distance = 1; distance < fold.roles; distance *= 2)
    seconds += reduction_seconds(size, between_partners(distance, network), flows_across(distance, network));
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kRecursiveDoublingAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
