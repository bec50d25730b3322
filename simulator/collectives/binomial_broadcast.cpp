// Binomial-tree broadcast from any root. Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::string refuses(const Collective&) { return ""; }

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  Rank root = collective.root;
  auto whole = Division::of_sizes(collective.bytes);
  return make_schedule(
      ranks, [ranks, root, whole](Rank rank) { return binomial_broadcast(rank, ranks, root, whole); });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  return tree_rounds(collective.ranks) *
         (network.latency + static_cast<double>(collective.bytes.front()) / network.bandwidth);
}

}  // namespace

const CollectiveAlgorithm kBinomialBroadcast{Word::broadcast, refuses, schedule, estimate};

}  // namespace traincast
