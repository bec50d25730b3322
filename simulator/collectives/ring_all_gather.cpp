// Ring all-gather of messages of any sizes: every message travels once around the ring.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto messages = Division::of_sizes(collective.bytes);
  return make_ring_schedule(ranks, ranks - 1, messages, [ranks, messages](Rank rank) {
    return ring_rounds(rank, ranks, rank, Action::Kind::receive, messages);
  });
}

// Every message is on its way in every round, and the largest paces N−1 of them.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  Bytes largest = *std::max_element(collective.bytes.begin(), collective.bytes.end());
  return (collective.ranks - 1.0) * transfer_seconds(static_cast<double>(largest), network);
}

}  // namespace

const CollectiveAlgorithm kRingAllGather{Word::all_gather, refuses_nothing, schedule, estimate};

}  // namespace traincast
