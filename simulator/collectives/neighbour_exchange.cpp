// Every rank's message to its neighbours in a graph, and theirs to it: what gossip methods send. A graph is a
// list of permutations; in each round every rank sends along one of them. Ring and torus: Lian et al. 2017
// (D-PSGD); exponential graphs, whole or one neighbour a step: Assran et al. 2019 (SGP), Ying et al. 2021.
#include <algorithm>
#include <bit>
#include <set>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

/// To whom a rank sends, and from whom it takes.
struct Permutation {
  std::function<Rank(Rank)> to, from;
};
using Graph = std::vector<Permutation>;

Graph circulant(std::uint32_t ranks, const std::set<std::uint32_t>& distances) {
  Graph graph;
  for (std::uint32_t distance : distances)
    if (distance % ranks != 0)
      graph.push_back({[=](Rank rank) { return (rank + distance) % ranks; },
                       [=](Rank rank) { return (rank + ranks - distance) % ranks; }});
  return graph;
}

Graph ring(const Collective& collective) { return circulant(collective.ranks, {1, collective.ranks - 1}); }

// The squarest grid; one row where N is prime. Of a side of two, both directions lead to the same neighbour,
// which is sent to once.
Graph torus(const Collective& collective) {
  std::uint32_t rows = squarest_side(collective.ranks), columns = collective.ranks / rows;
  Graph graph;
  for (std::uint32_t step : std::set{1U, columns - 1}) {
    if (step % columns == 0) continue;
    auto moved = [columns](Rank rank, std::uint32_t by) {
      return rank / columns * columns + (rank + by) % columns;
    };
    graph.push_back({[=](Rank rank) { return moved(rank, step); },
                     [=](Rank rank) { return moved(rank, columns - step); }});
  }
  for (std::uint32_t step : std::set{1U, rows - 1}) {
    if (step % rows == 0) continue;
    std::uint32_t ranks = collective.ranks, by = step * columns;
    graph.push_back({[=](Rank rank) { return (rank + by) % ranks; },
                     [=](Rank rank) { return (rank + ranks - by) % ranks; }});
  }
  return graph;
}

std::set<std::uint32_t> powers_of_two_below(std::uint32_t ranks) {
  std::set<std::uint32_t> powers;
  for (std::uint32_t power = 1; power < ranks; power *= 2) powers.insert(power);
  return powers;
}

Graph exponential(const Collective& collective) {
  return circulant(collective.ranks, powers_of_two_below(collective.ranks));
}

Graph one_peer(const Collective& collective) {
  std::set<std::uint32_t> powers = powers_of_two_below(collective.ranks);
  if (powers.empty()) return {};
  return circulant(collective.ranks, {1U << collective.step % powers.size()});
}

template <Graph (*graph_of)(const Collective&)>
std::unique_ptr<Schedule> schedule(const Collective& collective) {
  auto messages = Division::of_sizes(collective.bytes);
  return make_schedule(collective.ranks, [messages, graph = graph_of(collective)](Rank rank) {
    return rounds(static_cast<std::uint32_t>(graph.size()), [=](std::uint32_t t) {
      Rank to = graph[t].to(rank), from = graph[t].from(rank);
      return Round{messages.action(Action::Kind::send, to, rank, rank + 1),
                   messages.action(Action::Kind::receive, from, from, from + 1)};
    });
  });
}

template <Graph (*graph_of)(const Collective&)>
double estimate(const Collective& collective, const NetworkEstimate& network) {
  auto largest = static_cast<double>(*std::max_element(collective.bytes.begin(), collective.bytes.end()));
  double seconds = 0;
  for (const Permutation& round : graph_of(collective)) {
    std::uint32_t distance = round.to(0);
    seconds += transfer_seconds(largest, network,
                                flows_ahead(std::min(distance, collective.ranks - distance), network));
  }
  return seconds;
}

template <Graph (*graph_of)(const Collective&)>
constexpr CollectiveAlgorithm exchange_on() {
  return {Word::neighbours, refuses_nothing, schedule<graph_of>, estimate<graph_of>};
}

}  // namespace

const CollectiveAlgorithm kRingNeighbours = exchange_on<ring>();
const CollectiveAlgorithm kTorusNeighbours = exchange_on<torus>();
const CollectiveAlgorithm kExponentialNeighbours = exchange_on<exponential>();
const CollectiveAlgorithm kOnePeerNeighbours = exchange_on<one_peer>();

}  // namespace traincast
