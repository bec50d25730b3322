// Reduce-scatter: rank r ends with the sum of block r. The first halves of the ring's and the
// halving-doubling all-reduce. Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

Division blocks_of(const Collective& collective) {
  return Division::even(collective.count, collective.ranks, collective.element_bytes);
}

std::unique_ptr<Schedule> ring(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  return make_schedule(ranks, [ranks, blocks = blocks_of(collective)](Rank rank) {
    return ring_rounds(rank, ranks, rank + ranks - 1, Action::Kind::reduce, blocks);
  });
}

double ring_seconds(const Collective& collective, const NetworkEstimate& network) {
  return (collective.ranks - 1.0) *
         reduction_seconds(largest_block(collective, collective.ranks), between_neighbours(network));
}

std::unique_ptr<Schedule> halving(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  return make_schedule(ranks, [ranks, blocks = blocks_of(collective)](Rank rank) {
    return recursive_halving(rank, ranks, blocks);
  });
}

double halved_seconds(const Collective& collective, const NetworkEstimate& network) {
  return halving_seconds(buffer_bytes(collective), collective.ranks, network);
}

}  // namespace

const CollectiveAlgorithm kRingReduceScatter{Word::reduce_scatter, refuses_nothing, ring, ring_seconds};
const CollectiveAlgorithm kRecursiveHalvingReduceScatter{Word::reduce_scatter, refuses_unless_power_of_two,
                                                         halving, halved_seconds};

}  // namespace traincast
