// As many rings as a node has ranks, or as there are channels, each with its part of the buffer, side by
// side. Every ring enters a node at another rank and leaves it from the one before, so that a rank's own way
// out of the node carries one of them. How NCCL uses several network cards of a node, with a ring (a channel)
// for each.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::uint32_t group_of(const Collective& collective) { return std::min(collective.group, collective.ranks); }

std::uint32_t rings_of(const Collective& collective) {
  std::uint32_t group = group_of(collective);
  return collective.channels > 0 ? std::min(collective.channels, group) : group;
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks, group = group_of(collective), rings = rings_of(collective);
  auto parts = Division::even(collective.count, rings, collective.element_bytes);
  return make_schedule(ranks, rings, [=](Rank rank, std::uint32_t ring) {
    std::uint32_t first = ring * group / rings;
    auto turned = [group](Rank of, std::uint32_t by) { return of / group * group + (of + by) % group; };
    auto rank_of = [=](Rank role) { return turned(role, first); };
    return in_roles(ring_all_reduce(turned(rank, group - first), ranks, parts.cut(ring, ranks)), rank_of);
  });
}

// A round is as long as its slower hop: all rings but one pass within a node, one leaves it, or, where the
// node's ranks share the way out, all of them.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  std::uint32_t group = group_of(collective), rings = rings_of(collective);
  double block = largest_block(collective, rings * collective.ranks);
  double inside = network.node && rings == group
                      ? rings - 1.0
                      : rings;  // without links of the node's own, all use one port
  double round =
      std::max(transfer_seconds(block, within_node(network), inside),
               transfer_seconds(block, between_neighbours(network), std::min(rings, network.sharing)));
  return (collective.ranks - 1.0) * (2 * round + hop_seconds(HopWork::sum, block, network));
}

}  // namespace

const CollectiveAlgorithm kMultiRingAllReduce{Word::all_reduce, refuses_unless_grouped, schedule, estimate};

}  // namespace traincast
