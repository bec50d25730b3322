// Hierarchical all-gather: around a ring within each node; then each rank carries its share of the node's
// messages around the ring of ranks in its place; then those shares go around within each node. So every byte
// enters a node once. The decomposition of BlueConnect (Cho, Finkler, Kung 2019), for messages of unequal
// sizes.
#include <algorithm>
#include <numeric>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::uint32_t node_size(const Collective& collective) { return std::min(collective.group, collective.ranks); }

std::vector<Bytes> sizes_by_node(const Collective& collective) {
  std::vector<Bytes> sizes(collective.ranks / node_size(collective), 0);
  for (Rank rank = 0; rank < collective.ranks; ++rank)
    sizes[rank / node_size(collective)] += collective.bytes[rank];
  return sizes;
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t group = node_size(collective), nodes = collective.ranks / group;
  auto messages = Division::of_sizes(collective.bytes);
  auto by_node = Division::of_sizes(sizes_by_node(collective));
  return make_schedule(collective.ranks, [=](Rank rank) {
    Rank node = rank / group, place = rank % group, first = rank - place;
    auto neighbour = [=](Rank role) { return first + role; };
    auto counterpart = [=](Rank role) { return role * group + place; };
    auto own = ring_rounds(place, group, place, Action::Kind::receive, messages.part(first, group));
    auto shares = ring_rounds_of(node, nodes, node, Action::Kind::receive,
                                 [=](std::uint32_t of) { return std::pair(by_node.cut(of, group), place); });
    auto others = repeated(nodes - 1, [=](std::uint32_t t) {
      Rank of = (node + nodes - 1 - t) % nodes;
      return ring_rounds(place, group, place, Action::Kind::receive, by_node.cut(of, group));
    });
    return one_after_another(
        in_roles(std::move(own), neighbour),
        one_after_another(in_roles(std::move(shares), counterpart), in_roles(std::move(others), neighbour)));
  });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  std::uint32_t group = node_size(collective), nodes = collective.ranks / group;
  std::vector<Bytes> sizes = sizes_by_node(collective);
  auto message = static_cast<double>(*std::max_element(collective.bytes.begin(), collective.bytes.end()));
  auto share = static_cast<double>((*std::max_element(sizes.begin(), sizes.end()) + group - 1) / group);
  NetworkEstimate near = within_node(network);
  return (group - 1.0) * transfer_seconds(message, near) +
         (nodes - 1.0) * transfer_seconds(share, network, flows_ahead(group, network)) +
         (nodes - 1.0) * (group - 1.0) * transfer_seconds(share, near);
}

}  // namespace

const CollectiveAlgorithm kHierarchicalAllGather{Word::all_gather, refuses_unless_grouped, schedule,
                                                 estimate};

}  // namespace traincast
