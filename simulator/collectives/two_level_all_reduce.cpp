// Reduce-scatter within groups of neighbours, all-reduce of what each then holds with the ranks of the same
// place in the other groups, all-gather within the groups; every part around a ring. With a node as the group
// it is the hierarchical all-reduce, with a row of a grid the one on a 2-D torus.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> two_level(const Collective& collective, std::uint32_t group) {
  std::uint32_t groups = collective.ranks / group;
  auto chunks = Division::even(collective.count, group, collective.element_bytes);
  return make_schedule(collective.ranks, [=](Rank rank) {
    Rank place = rank % group, first = rank - place;
    std::uint32_t own = (place + 1) % group;
    auto neighbour = [=](Rank role) { return first + role; };
    auto counterpart = [=](Rank role) { return role * group + place; };
    auto scatter = ring_rounds(place, group, place, Action::Kind::reduce, chunks);
    auto across = ring_all_reduce(rank / group, groups, chunks.cut(own, groups));
    auto gather = ring_rounds(place, group, own, Action::Kind::receive, chunks);
    return one_after_another(
        in_roles(std::move(scatter), neighbour),
        one_after_another(in_roles(std::move(across), counterpart), in_roles(std::move(gather), neighbour)));
  });
}

std::unique_ptr<Schedule> hierarchical(const Collective& collective) {
  return two_level(collective, std::min(collective.group, collective.ranks));
}

double hierarchical_seconds(const Collective& collective, const NetworkEstimate& network) {
  return two_level_seconds(collective, std::min(collective.group, collective.ranks), network);
}

std::string torus_refuses(const Collective& collective) {
  if (collective.ranks == 1 || squarest_side(collective.ranks) > 1) return "";
  return "needs a number of ranks that makes rows and columns, got the prime " +
         std::to_string(collective.ranks);
}

std::unique_ptr<Schedule> torus(const Collective& collective) {
  return two_level(collective, squarest_side(collective.ranks));
}

double torus_seconds(const Collective& collective, const NetworkEstimate& network) {
  return two_level_seconds(collective, squarest_side(collective.ranks), network);
}

}  // namespace

const CollectiveAlgorithm kHierarchicalAllReduce{Word::all_reduce, refuses_unless_grouped, hierarchical,
                                                 hierarchical_seconds};
const CollectiveAlgorithm kTorusAllReduce{Word::all_reduce, torus_refuses, torus, torus_seconds};

}  // namespace traincast
