// Two ring all-gathers at once in opposite directions, of one half of every message each.
#include <algorithm>
#include <cmath>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto messages = Division::of_sizes(collective.bytes);
  return make_schedule(ranks, 2, [ranks, messages](Rank rank, std::uint32_t channel) {
    auto turned = [=](Rank role) { return channel == 0 ? role : ranks - 1 - role; };
    Rank role = turned(rank);
    auto half = [=](std::uint32_t of) { return std::pair(messages.cut(turned(of), 2), channel); };
    return in_roles(ring_rounds_of(role, ranks, role, Action::Kind::receive, half), turned);
  });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  Bytes largest = *std::max_element(collective.bytes.begin(), collective.bytes.end());
  NetworkEstimate hop = between_neighbours(network);
  return (collective.ranks - 1.0) *
         transfer_seconds(std::ceil(static_cast<double>(largest) / 2), hop, hop.neighbour_flows);
}

}  // namespace

const CollectiveAlgorithm kBidirectionalRingAllGather{Word::all_gather, refuses_nothing, schedule, estimate};

}  // namespace traincast
