// Broadcast of long messages: a binomial tree scatters the message's N parts, a ring gathers them. Thakur,
// Rabenseifner and Gropp 2005, section 4.2 (van de Geijn's algorithm).
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

// A rank takes the parts of its subtree, which are those from its own on, and hands their subtrees' parts to
// its children, the farthest first.
Program scatter(Rank place, std::uint32_t ranks, const Division& parts) {
  TreeNode node = binomial_tree_node(place, ranks);
  auto subtree = [&](Rank of, Rank distance) { return std::min(of + distance, ranks); };
  std::vector<Action> actions;
  if (node.parent)
    actions.push_back(
        parts.action(Action::Kind::receive, *node.parent, place, subtree(place, place - *node.parent)));
  for (auto child = node.children.rbegin(); child != node.children.rend(); ++child)
    actions.push_back(parts.action(Action::Kind::send, *child, *child, subtree(*child, *child - place)));
  return steps(std::move(actions));
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  Rank root = collective.root;
  auto parts = Division::even(collective.bytes.front(), ranks, 1);
  return make_schedule(ranks, [=](Rank rank) {
    return from_root(rank, ranks, root, [&](Rank place) {
      return one_after_another(scatter(place, ranks, parts),
                               ring_rounds(place, ranks, place, Action::Kind::receive, parts));
    });
  });
}

double estimate(const Collective& collective, const NetworkEstimate& network) {
  auto bytes = static_cast<double>(collective.bytes.front());
  return doubling_seconds(bytes, collective.ranks, network) +
         (collective.ranks - 1.0) * transfer_seconds(bytes / collective.ranks, network);
}

}  // namespace

const CollectiveAlgorithm kScatterAllGatherBroadcast{Word::broadcast, refuses_nothing, schedule, estimate};

}  // namespace traincast
