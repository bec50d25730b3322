// Ring all-gather: every message travels once around the ring, as long as it is, or padded to the longest as
// a library sends it that knows equal sizes only.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> around(std::uint32_t ranks, const Division& messages) {
  return make_ring_schedule(ranks, ranks - 1, 0, messages, [ranks, messages](Rank rank) {
    return ring_rounds(rank, ranks, rank, Action::Kind::receive, messages);
  });
}

std::unique_ptr<Schedule> as_they_are(const Collective& collective) {
  return around(collective.ranks, Division::of_sizes(collective.bytes));
}

std::unique_ptr<Schedule> padded(const Collective& collective) {
  return around(collective.ranks, Division::padded(collective.bytes));
}

// Every message is on its way in every round, and the largest paces N−1 of them, padded or not.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  Bytes largest = *std::max_element(collective.bytes.begin(), collective.bytes.end());
  return (collective.ranks - 1.0) *
         transfer_seconds(static_cast<double>(largest), between_neighbours(network));
}

}  // namespace

const CollectiveAlgorithm kRingAllGather{Word::all_gather, refuses_nothing, as_they_are, estimate};
const CollectiveAlgorithm kPaddedRingAllGather{Word::all_gather, refuses_nothing, padded, estimate};

}  // namespace traincast
