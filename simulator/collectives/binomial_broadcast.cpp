// Binomial-tree broadcast from any root. Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  Rank root = collective.root;
  auto whole = Division::of_sizes(collective.bytes);
  return make_schedule(ranks, [ranks, root, whole](Rank rank) {
    return from_root(rank, ranks, root,
                     [&](Rank place) { return tree_broadcast(binomial_tree_node(place, ranks), whole, 0); });
  });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  return tree_rounds(collective.ranks) *
         transfer_seconds(static_cast<double>(collective.bytes.front()), network);
}

}  // namespace

const CollectiveAlgorithm kBinomialBroadcast{Word::broadcast, refuses_nothing, schedule, estimate};

}  // namespace traincast
