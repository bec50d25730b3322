// Binomial-tree all-reduce: everything is summed at rank 0 and broadcast from there.
// Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::string refuses(const Collective&) { return ""; }

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto whole = Division::even(collective.count, 1, collective.element_bytes);
  return make_schedule(ranks, [ranks, whole](Rank rank) {
    return one_after_another(binomial_reduce(rank, ranks, whole), binomial_broadcast(rank, ranks, 0, whole));
  });
}

// Each round moves the whole buffer; beyond a node's ranks, one of them at a time takes part.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double size = static_cast<double>(collective.count * collective.element_bytes);
  return 2.0 * tree_rounds(collective.ranks) * (network.latency + size / network.bandwidth);
}

}  // namespace

const CollectiveAlgorithm kBinomialTreeAllReduce{Word::all_reduce, refuses, schedule, estimate};

}  // namespace traincast
