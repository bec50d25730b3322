// Binomial-tree all-reduce: everything is summed at rank 0 and broadcast from there.
// Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto whole = Division::even(collective.count, 1, collective.element_bytes);
  return make_schedule(ranks, [ranks, whole](Rank rank) {
    TreeNode node = binomial_tree_node(rank, ranks);
    return one_after_another(tree_reduce(node, whole, 0), tree_broadcast(node, whole, 0));
  });
}

// Each round moves the whole buffer; beyond a node's ranks, one of them at a time takes part.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double whole = buffer_bytes(collective), seconds = 0;
  for (std::uint32_t distance = 1; distance < collective.ranks; distance *= 2) {
    NetworkEstimate partners = between_partners(distance, network);
    seconds += reduction_seconds(whole, partners) + transfer_seconds(whole, partners);
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kBinomialTreeAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
