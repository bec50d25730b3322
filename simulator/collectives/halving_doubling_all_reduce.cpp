// Halving-doubling all-reduce: recursive halving as reduce-scatter, recursive doubling as all-gather; with
// Rabenseifner's preamble where N is no power of two: each rank that sits out shares the summing of its
// buffer with its neighbour. Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  Fold fold(collective.ranks);
  auto halves = Division::even(collective.count, 2, collective.element_bytes);
  auto chunks = Division::even(collective.count, fold.roles, collective.element_bytes);
  return make_schedule(collective.ranks, [fold, halves, chunks](Rank rank) {
    return folded_all_reduce(rank, fold, halves, [&](Rank role) {
      return one_after_another(recursive_halving(role, fold.roles, chunks),
                               recursive_doubling(role, fold.roles, chunks));
    });
  });
}

// Halving, then doubling; the fold moves a half, a half and the whole.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  Fold fold(collective.ranks);
  double whole = buffer_bytes(collective), half = largest_block(collective, 2);
  double seconds = halving_seconds(whole, fold.roles, network) + doubling_seconds(whole, fold.roles, network);
  if (fold.others > 0)
    seconds +=
        reduction_seconds(half, network) + transfer_seconds(half, network) + transfer_seconds(whole, network);
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kHalvingDoublingAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
