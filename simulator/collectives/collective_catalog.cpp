#include "simulator/collectives/collective_catalog.hpp"

#include <algorithm>
#include <functional>

#include "base/error.hpp"
#include "simulator/collectives/algorithms.hpp"

namespace traincast {

namespace {

constexpr std::string_view kThakur =
    "Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH";

constexpr std::string_view kSanders =
    "Sanders, Speck, Träff 2009, Two-tree algorithms for full bandwidth broadcast, reduction and scan";

constexpr std::string_view kSparcml =
    "Renggli et al. 2019, SparCML: High-Performance Sparse Communication for Machine Learning";

std::string support_error(const Collective& collective) {
  std::size_t given = collective.supports ? collective.supports->size() : 0;
  if (given != collective.ranks)
    return std::to_string(collective.ranks) + " supports needed, got " + std::to_string(given);
  for (Rank rank = 0; rank < given; ++rank) {
    const std::vector<Index>& support = (*collective.supports)[rank];
    if (std::adjacent_find(support.begin(), support.end(), std::greater_equal<>()) != support.end())
      return "the support of rank " + std::to_string(rank) + " must rise from place to place";
    if (!support.empty() && support.back() >= collective.count)
      return "the support of rank " + std::to_string(rank) + " must lie below " +
             std::to_string(collective.count) + ", got " + std::to_string(support.back());
  }
  return "";
}

std::string shape_error(const Collective& collective) {
  auto sizes = [&](std::size_t wanted) -> std::string {
    if (collective.bytes.size() == wanted) return "";
    return std::to_string(wanted) + " message size" + (wanted == 1 ? "" : "s") + " needed, got " +
           std::to_string(collective.bytes.size());
  };
  if (collective.ranks == 0) return "at least one rank needed, got 0";
  switch (collective.word) {
    case Word::all_reduce:
    case Word::reduce_scatter: return "";
    case Word::sparse_all_reduce: return support_error(collective);
    case Word::all_to_all:
      return collective.bytes.size() == 1 ? "" : sizes(std::size_t{collective.ranks} * collective.ranks);
    case Word::all_gather: return sizes(collective.ranks);
    case Word::push_pull:
    case Word::neighbours: return sizes(collective.ranks);
    case Word::rounds: return "";
    case Word::broadcast:
      if (collective.root >= collective.ranks)
        return "root must be below " + std::to_string(collective.ranks) + ", got " +
               std::to_string(collective.root);
      return sizes(1);
  }
  return "";
}

}  // namespace

const Catalog<CollectiveAlgorithm>& collective_catalog(Word word) {
  using Row = Entry<CollectiveAlgorithm>;
  static const Row all_reduce[] = {
      {"ring",
       "reduce-scatter and all-gather around a ring; least bytes, 2(N-1) rounds",
       "Patarasuk, Yuan 2009, Bandwidth optimal all-reduce algorithms for clusters of workstations",
       {},
       kRingAllReduce},
      {"halving_doubling",
       "recursive halving, then recursive doubling; least bytes, 2 log2 N rounds; three more where N is no "
       "power of two",
       kThakur,
       {},
       kHalvingDoublingAllReduce},
      {"binomial_tree",
       "summed at rank 0 and broadcast; the whole buffer in each of 2 log2 N rounds",
       kThakur,
       {},
       kBinomialTreeAllReduce},
      {"recursive_doubling",
       "partners exchange and sum whole buffers; log2 N rounds, two more where N is no power of two",
       kThakur,
       {},
       kRecursiveDoublingAllReduce},
      {"bidirectional_ring",
       "two rings in opposite directions with half of the buffer each, as two channels",
       "Patarasuk, Yuan 2009, Bandwidth optimal all-reduce algorithms for clusters of workstations",
       {},
       kBidirectionalRingAllReduce},
      {"double_binary_tree",
       "two binary trees with half of the buffer each, in segments; a rank forwards in one of them only",
       kSanders,
       {},
       kDoubleBinaryTreeAllReduce},
      {"hierarchical",
       "reduce-scatter within nodes, rings of the same place in each node, all-gather within nodes",
       "Cho, Finkler, Kung 2019, BlueConnect: Decomposing All-Reduce for Deep Learning",
       {},
       kHierarchicalAllReduce},
      {"torus_2d",
       "reduce-scatter by rows of the squarest grid, all-reduce by columns, all-gather by rows",
       "Mikami et al. 2018, Massively Distributed SGD: ImageNet/ResNet-50 Training in a Flash",
       {},
       kTorusAllReduce},
      {"multi_ring",
       "as many rings as a node has ranks, side by side; each leaves a node from another rank",
       "Jeaugey 2017, NCCL 2.0: rings over all network cards of a node",
       {},
       kMultiRingAllReduce},
  };
  static const Row all_gather[] = {
      {"ring", "every message once around a ring; N-1 rounds, any sizes", kThakur, {}, kRingAllGather},
      {"recursive_doubling",
       "partners at distances 1, 2, 4 swap what they hold; log2 N rounds; N a power of two",
       kThakur,
       {},
       kRecursiveDoublingAllGather},
      {"bruck",
       "runs of 1, 2, 4 neighbouring messages go to ranks at these distances; log2 N rounds, any N and sizes",
       "Bruck et al. 1997, Efficient Algorithms for All-to-All Communications in Multiport Systems",
       {},
       kBruckAllGather},
      {"hierarchical",
       "rings within nodes, then of the same place in each node, then within nodes; a byte enters a node "
       "once",
       "Cho, Finkler, Kung 2019, BlueConnect: Decomposing All-Reduce for Deep Learning",
       {},
       kHierarchicalAllGather},
      {"padded",
       "the ring, with every message padded to the longest, as libraries that know equal sizes send it",
       kThakur,
       {},
       kPaddedRingAllGather},
      {"bidirectional_ring",
       "two rings in opposite directions with half of every message each, as two channels",
       kThakur,
       {},
       kBidirectionalRingAllGather},
      {"grouped_broadcasts",
       "one broadcast for each rank along a pipelined ring, as PyTorch sends unequal sizes over NCCL",
       "PyTorch, ProcessGroupNCCL, all-gather of unequal tensors",
       {},
       kGroupedBroadcastsAllGather},
  };
  static const Row broadcast[] = {
      {"binomial_tree", "log2 N rounds of the whole message, from any root", kThakur, {}, kBinomialBroadcast},
      {"pipelined_ring",
       "every rank hands the message on in segments; N-2+S rounds for S segments, from any root",
       kSanders,
       {},
       kPipelinedRingBroadcast},
      {"scatter_all_gather",
       "a binomial tree scatters N parts, a ring gathers them; for long messages, from any root",
       kThakur,
       {},
       kScatterAllGatherBroadcast},
  };
  static const Row reduce_scatter[] = {
      {"ring", "once around a ring; least bytes, N-1 rounds", kThakur, {}, kRingReduceScatter},
      {"recursive_halving",
       "halves of what is left, at distances N/2 to 1; least bytes, log2 N rounds; N a power of two",
       kThakur,
       {},
       kRecursiveHalvingReduceScatter},
  };
  static const Row all_to_all[] = {
      {"pairwise",
       "N-1 rounds with partners at distances 1 to N-1; any sizes",
       kThakur,
       {},
       kPairwiseAllToAll},
  };
  static const Row sparse_all_reduce[] = {
      {"recursive_doubling",
       "partners exchange and merge all that they hold; log2 N rounds of growing unions, dense where shorter",
       kSparcml,
       {},
       kRecursiveDoublingSparseAllReduce},
      {"ring",
       "a ring all-reduce whose chunks are unions that grow from hop to hop, dense where shorter",
       kSparcml,
       {},
       kRingSparseAllReduce},
  };
  static const Row push_pull[] = {
      {"servers",
       "servers of their own take a part of every message each, and answer every rank",
       "Li et al. 2014, Scaling Distributed Machine Learning with the Parameter Server",
       {},
       kServersPushPull},
      {"colocated",
       "a server beside every rank; what is for the rank's own does not travel",
       "Jiang et al. 2020, A Unified Architecture for Accelerating Distributed DNN Training (BytePS)",
       {},
       kColocatedPushPull},
  };
  static const Row neighbours[] = {
      {"ring",
       "to both sides",
       "Lian et al. 2017, Can Decentralized Algorithms Outperform Centralized Ones?",
       {},
       kRingNeighbours},
      {"torus",
       "to the four sides on the squarest grid",
       "Lian et al. 2017, Can Decentralized Algorithms Outperform Centralized Ones?",
       {},
       kTorusNeighbours},
      {"exponential",
       "directed, to the ranks 1, 2, 4 … ahead",
       "Ying et al. 2021, Exponential Graph is Provably Efficient for Decentralized Deep Training",
       {},
       kExponentialNeighbours},
      {"one_peer_exponential",
       "directed, changing: in step t to the rank 2^(t mod log2 N) ahead",
       "Assran et al. 2019, Stochastic Gradient Push",
       {},
       kOnePeerNeighbours},
  };
  static const Row given_rounds[] = {
      {"as_given", "the rounds that the method writes", "the method's own source", {}, kGivenRounds},
  };
  static const Catalog<CollectiveAlgorithm> catalogs[] = {
      {"collectives", "all_reduce algorithm", all_reduce},
      {"collectives", "all_gather algorithm", all_gather},
      {"collectives", "broadcast algorithm", broadcast},
      {"collectives", "reduce_scatter algorithm", reduce_scatter},
      {"collectives", "all_to_all algorithm", all_to_all},
      {"collectives", "sparse_all_reduce algorithm", sparse_all_reduce},
      {"collectives", "push_pull algorithm", push_pull},
      {"collectives", "neighbours algorithm", neighbours},
      {"collectives", "rounds algorithm", given_rounds},
  };
  return catalogs[static_cast<std::size_t>(word)];
}

const Entry<CollectiveAlgorithm>& choose_algorithm(const std::string& name, const Collective& collective,
                                                   const NetworkEstimate& network,
                                                   std::optional<std::span<const std::string_view>> allowed) {
  std::string word(to_string(collective.word));
  if (std::string error = shape_error(collective); !error.empty()) throw InputError(word + ": " + error);
  const auto& catalog = collective_catalog(collective.word);
  if (name != "auto") {
    Json value(name);
    const auto& entry = catalog.find(JsonReader(value, "scenario", "/collective/" + word));
    if (std::string why = entry.make.refuses(collective); !why.empty())
      throw PlacedError("", "/collective/" + word, "'" + name + "' " + why + "; 'auto' takes one that can");
    return entry;
  }
  const Entry<CollectiveAlgorithm>* best = nullptr;
  double least = 0;
  for (const auto& entry : catalog.entries()) {
    if (allowed && std::ranges::find(*allowed, entry.name) == allowed->end()) continue;
    if (!entry.make.refuses(collective).empty()) continue;
    double seconds = entry.make.estimate(collective, network);
    if (best && seconds >= least) continue;
    best = &entry;
    least = seconds;
  }
  if (!best)
    throw InputError(word + ": no algorithm " + (allowed ? "of the stack " : "") + "takes " +
                     std::to_string(collective.ranks) + " ranks");
  return *best;
}

}  // namespace traincast
