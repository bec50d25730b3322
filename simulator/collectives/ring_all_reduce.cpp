// Ring all-reduce: a reduce-scatter around the ring, then an all-gather around it. Patarasuk and Yuan 2009.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto chunks = Division::even(collective.count, ranks, collective.element_bytes);
  return make_ring_schedule(ranks, 2 * (ranks - 1), ranks - 1, chunks,
                            [ranks, chunks](Rank rank) { return ring_all_reduce(rank, ranks, chunks); });
}

// 2(N−1) rounds of the largest chunk. Between neighbours in natural order, one flow leaves and one enters a
// node, however many ranks share its link.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double chunk = largest_block(collective, collective.ranks);
  NetworkEstimate hop = between_neighbours(network);
  return (collective.ranks - 1.0) * (reduction_seconds(chunk, hop) + transfer_seconds(chunk, hop));
}

}  // namespace

const CollectiveAlgorithm kRingAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
