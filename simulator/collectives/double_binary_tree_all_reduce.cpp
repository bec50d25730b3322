// Two binary trees at once, each for half of the buffer, so that a rank that forwards in one is a leaf of the
// other; every half is reduced and then broadcast in segments. Sanders, Speck and Träff 2009. The trees are
// in-order trees: all odd ranks are leaves of the first, and the second is its mirror image, or the first
// moved on by one where N is odd.
#include <bit>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

// Rank 0 is the root, with one child; of the others, the lowest set bit is twice the distance to the
// children.
TreeNode in_order_tree_node(Rank rank, std::uint32_t ranks) {
  TreeNode node;
  if (rank == 0) {
    if (ranks > 1) node.children.push_back(std::bit_floor(ranks - 1));
    return node;
  }
  std::uint32_t bit = rank & (~rank + 1);
  Rank above = (rank ^ bit) | (2 * bit);
  node.parent = above < ranks ? above : rank ^ bit;
  if (bit > 1) node.children.push_back(rank - bit / 2);
  std::uint32_t distance = bit / 2;
  while (distance > 0 && rank + distance >= ranks) distance /= 2;
  if (distance > 0) node.children.push_back(rank + distance);
  return node;
}

std::uint32_t segments_of(const Collective& collective) {
  return pipeline_segments(tree_rounds(collective.ranks), collective.count * collective.element_bytes / 2);
}

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks, count = segments_of(collective);
  auto halves = Division::even(collective.count, 2, collective.element_bytes);
  return make_schedule(ranks, 2, [=](Rank rank, std::uint32_t channel) {
    auto rank_of = [=](Rank role) {
      if (channel == 0) return role;
      return ranks % 2 == 0 ? ranks - 1 - role : (role + 1) % ranks;
    };
    Rank role = rank;
    if (channel == 1) role = ranks % 2 == 0 ? ranks - 1 - rank : (rank + ranks - 1) % ranks;
    auto node = in_order_tree_node(role, ranks);
    auto segments = halves.cut(channel, count);
    auto up = repeated(count, [=](std::uint32_t segment) { return tree_reduce(node, segments, segment); });
    auto down =
        repeated(count, [=](std::uint32_t segment) { return tree_broadcast(node, segments, segment); });
    return in_roles(one_after_another(std::move(up), std::move(down)), rank_of);
  });
}

// A rank takes a segment of each of two children in turn, so that the pipeline moves on by two transfers and
// the first segment takes two a level, but one to the root, which has one child. Up, then down. What a rank
// sends in its two trees meets at its port for about a third of the time, as replays on stars show; three
// ranks make two chains that meet for about half.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  if (collective.ranks == 1) return 0;
  std::uint32_t segments = segments_of(collective);
  double levels = tree_rounds(collective.ranks), transfers = 0, flows = 1;
  if (collective.ranks <= 3) {
    transfers = levels + segments - 1;
    flows = collective.ranks == 3 ? 1.5 : 1;
  } else {
    transfers = 2 * (levels + segments) - 3;
    flows = 4.0 / 3;
  }
  double segment = largest_block(collective, 2 * segments);
  return transfers * (reduction_seconds(segment, network, flows) + transfer_seconds(segment, network, flows));
}

}  // namespace

const CollectiveAlgorithm kDoubleBinaryTreeAllReduce{Word::all_reduce, refuses_nothing, schedule, estimate};

}  // namespace traincast
