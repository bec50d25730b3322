// Pairwise all-to-all: in round t a rank sends to the rank t ahead and receives from the rank t behind.
// Thakur, Rabenseifner and Gropp 2005; the sizes of all pairs may differ.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  bool equal = collective.bytes.size() == 1;
  auto messages =
      equal ? Division::even(std::uint64_t{ranks} * ranks * collective.bytes.front(), ranks * ranks, 1)
            : Division::of_sizes(collective.bytes);
  return make_schedule(ranks, [ranks, messages](Rank rank) {
    return pairwise_rounds(rank, ranks, Action::Kind::receive,
                           [ranks, messages](Action::Kind kind, Rank peer, Rank from, Rank to) {
                             return messages.action(kind, peer, from * ranks + to, from * ranks + to + 1);
                           });
  });
}

// A round is over with its largest message; the ranks behind one link leave it together once they send
// further than they are many.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double seconds = 0;
  std::uint32_t ranks = collective.ranks;
  for (std::uint32_t distance = 1; distance < ranks; ++distance) {
    Bytes largest = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank)
      largest = std::max(largest, collective.bytes.size() == 1
                                      ? collective.bytes.front()
                                      : collective.bytes[rank * ranks + (rank + distance) % ranks]);
    seconds += transfer_seconds(static_cast<double>(largest), network,
                                flows_ahead(std::min(distance, ranks - distance), network));
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kPairwiseAllToAll{Word::all_to_all, refuses_nothing, schedule, estimate};

}  // namespace traincast
