// Pipelined broadcast from any root: ranks hand the message on to the next, segment by segment. Its segments
// balance latency and bytes (pipeline_segments).
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::uint32_t segments_of(const Collective& collective) {
  return chain_segments(collective.ranks, collective.bytes.front());
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks, count = segments_of(collective);
  Rank root = collective.root;
  auto segments = Division::even(collective.bytes.front(), count, 1);
  return make_schedule(ranks, [=](Rank rank) { return pipelined_chain(rank, ranks, root, segments); });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  if (collective.ranks == 1) return 0;
  double segments = segments_of(collective);
  return (collective.ranks - 2.0 + segments) *
         transfer_seconds(static_cast<double>(collective.bytes.front()) / segments,
                          between_neighbours(network));
}

}  // namespace

const CollectiveAlgorithm kPipelinedRingBroadcast{Word::broadcast, refuses_nothing, schedule, estimate};

}  // namespace traincast
