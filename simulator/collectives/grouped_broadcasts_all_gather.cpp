// All-gather as one broadcast for each rank, one behind another, each along a pipelined ring: what PyTorch's
// process group makes of unequal sizes, for NCCL's all-gather takes equal ones only.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::uint32_t segments_of(const Collective& collective, Rank root) {
  return chain_segments(collective.ranks, collective.bytes[root]);
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  std::vector<Division> messages;
  for (Rank root = 0; root < ranks; ++root)
    messages.push_back(Division::of_sizes(collective.bytes).cut(root, segments_of(collective, root)));
  return make_schedule(ranks, [ranks, messages](Rank rank) {
    return repeated(ranks, [=](Rank root) { return pipelined_chain(rank, ranks, root, messages[root]); });
  });
}

// The next root, second along the chain, begins its own broadcast when it has handed on the one before, a
// round behind that one's last segment; of two ranks it hands nothing on.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  if (collective.ranks == 1) return 0;
  Rank last = collective.ranks - 1;
  NetworkEstimate hop = between_neighbours(network);
  double seconds = 0;
  for (Rank root = 0; root <= last; ++root) {
    double segments = segments_of(collective, root);
    double rounds = segments + (root == last ? last - 1.0 : last > 1 ? 1.0 : 0.0);
    seconds += rounds * transfer_seconds(static_cast<double>(collective.bytes[root]) / segments, hop);
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kGroupedBroadcastsAllGather{Word::all_gather, refuses_nothing, schedule, estimate};

}  // namespace traincast
