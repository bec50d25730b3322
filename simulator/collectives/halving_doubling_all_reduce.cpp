// Halving-doubling all-reduce: recursive halving as reduce-scatter, recursive doubling as all-gather.
// Thakur, Rabenseifner and Gropp 2005.
#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

std::unique_ptr<Schedule> schedule(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto chunks = Division::even(collective.count, ranks, collective.element_bytes);
  return make_schedule(ranks, [ranks, chunks](Rank rank) {
    return one_after_another(recursive_halving(rank, ranks, chunks), recursive_doubling(rank, ranks, chunks));
  });
}

// The round at distance d moves d/N of the buffer, once on the way down and once on the way up. From distance
// `sharing` on, all ranks behind one link send at once.
double estimate(const Collective& collective, const NetworkEstimate& network) {
  double size = static_cast<double>(collective.count * collective.element_bytes), seconds = 0;
  for (std::uint32_t distance = 1; distance < collective.ranks; distance *= 2) {
    double flows = distance >= network.sharing ? network.sharing : 1;
    seconds += 2 * (network.latency + flows * size * distance / collective.ranks / network.bandwidth);
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kHalvingDoublingAllReduce{Word::all_reduce, refuses_unless_power_of_two, schedule,
                                                    estimate};

}  // namespace traincast
