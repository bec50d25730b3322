// Sparse all-reduce: ranks sum vectors of which each sends only the entries that it holds, index and value.
// Sums hold the union of their addends' supports (a sum that happens to be zero is an entry), in the order in
// which the algorithm merges; a message that would be longer than the dense vector is sent dense. Renggli et
// al. 2019, SparCML; the ring carries the same messages.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"
#include "simulator/collectives/sparse_sizes.hpp"

namespace traincast {

namespace {

// A message that goes dense is added like any other.
HopWork work_on(Bytes bytes, Bytes dense) { return bytes < dense ? HopWork::merge : HopWork::sum; }

std::unique_ptr<Schedule> doubling(const Collective& collective) {
  auto sizes = doubling_sizes(collective);
  auto whole = Division::even(collective.count, 1, collective.element_bytes);
  return make_schedule(collective.ranks, [sizes, whole](Rank rank) {
    return revised(recursive_doubling_sum(rank, sizes->fold(), whole), [sizes, rank](Action& action) {
      Bytes dense = action.bytes;
      action.bytes =
          action.kind == Action::Kind::send ? (*sizes)(rank, action.peer) : (*sizes)(action.peer, rank);
      action.work = work_on(action.bytes, dense);
    });
  });
}

// Every round waits for its longest message.
double doubling_seconds(const Collective& collective, const NetworkEstimate& network) {
  const auto known = doubling_sizes(collective);
  const DoublingSizes& sizes = *known;
  auto work = [&](Bytes bytes) {
    return network.transport.hop_s(work_on(bytes, collective.count * collective.element_bytes), bytes);
  };
  double seconds = 0;
  for (std::size_t level = 0; level + 1 < sizes.by_level().size(); ++level) {
    const std::vector<Bytes>& of_groups = sizes.by_level()[level];
    Bytes longest = *std::max_element(of_groups.begin(), of_groups.end());
    seconds += transfer_seconds(static_cast<double>(longest), between_partners(1U << level, network),
                                flows_across(1U << level, network)) +
               work(longest);
  }
  if (sizes.fold().others > 0)
    seconds += transfer_seconds(static_cast<double>(sizes.largest_own()), network) +
               work(sizes.largest_own()) +
               transfer_seconds(static_cast<double>(sizes.by_level().back().front()), network);
  return seconds;
}

std::unique_ptr<Schedule> ring(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto sizes = ring_sizes(collective);
  auto chunks = Division::even(collective.count, ranks, collective.element_bytes);
  auto program = [=](Rank rank) {
    auto phase = [&](std::uint32_t first_block, Action::Kind taking) {
      return revised(ring_rounds(rank, ranks, first_block, taking, chunks), [=](Action& action) {
        Bytes dense = action.bytes;
        action.bytes = (*sizes)(action, action.kind == Action::Kind::send ? rank : action.peer,
                                taking == Action::Kind::receive);
        action.work = work_on(action.bytes, dense);
      });
    };
    return one_after_another(phase(rank, Action::Kind::reduce), phase(rank + 1, Action::Kind::receive));
  };
  return make_ring_schedule(
      ranks, [sizes] { return sizes->shape(); }, program);
}

// As if every round waited for its longest message.
double ring_seconds(const Collective& collective, const NetworkEstimate& among_all) {
  NetworkEstimate network = between_neighbours(among_all);
  const auto known = ring_sizes(collective);
  const RingSizes& sizes = *known;
  double seconds = 0, longest = 0;
  for (std::uint32_t addends = 1; addends <= collective.ranks; ++addends) {
    double work = 0;
    longest = 0;
    for (std::uint32_t chunk = 0; chunk < collective.ranks; ++chunk) {
      Bytes bytes = sizes.of(chunk, addends);
      longest = std::max(longest, static_cast<double>(bytes));
      work = std::max(work, network.transport.hop_s(work_on(bytes, sizes.dense(chunk)), bytes));
    }
    if (addends < collective.ranks) seconds += transfer_seconds(longest, network) + work;
  }
  return seconds + (collective.ranks - 1.0) * transfer_seconds(longest, network);
}

}  // namespace

const CollectiveAlgorithm kRecursiveDoublingSparseAllReduce{Word::sparse_all_reduce, refuses_nothing,
                                                            doubling, doubling_seconds};
const CollectiveAlgorithm kRingSparseAllReduce{Word::sparse_all_reduce, refuses_nothing, ring, ring_seconds};

}  // namespace traincast
