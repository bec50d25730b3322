// Two ring all-reduces at once, each of half the buffer, in opposite directions: twice as fast as one where
// neighbours have a link of their own to either side, as fast as one where all flows share a port.
// Patarasuk and Yuan 2009, once in each direction.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto halves = Division::even(collective.count, 2, collective.element_bytes);
  return make_schedule(ranks, 2, [ranks, halves](Rank rank, std::uint32_t channel) {
    auto chunks = halves.cut(channel, ranks);
    if (channel == 0) return ring_all_reduce(rank, ranks, chunks);
    auto mirrored = [ranks](Rank role) { return ranks - 1 - role; };
    return in_roles(ring_all_reduce(mirrored(rank), ranks, chunks), mirrored);
  });
}

// Both directions may leave by one port that a rank has into the network, or by the link that a node has.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double half = largest_block(collective, 2 * collective.ranks);
  NetworkEstimate hop = between_neighbours(network);
  return (collective.ranks - 1.0) * (reduction_seconds(half, hop, hop.neighbour_flows) +
                                     transfer_seconds(half, hop, hop.neighbour_flows));
}

}  // namespace

const CollectiveAlgorithm kBidirectionalRingAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
