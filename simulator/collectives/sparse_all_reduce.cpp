// Sparse all-reduce: ranks sum vectors of which each sends only the entries that it holds, index and value.
// Sums hold the union of their addends' supports (a sum that happens to be zero is an entry), in the order in
// which the algorithm merges; a message that would be longer than the dense vector is sent dense. Renggli et
// al. 2019, SparCML; the ring carries the same messages.
#include <algorithm>
#include <bit>
#include <iterator>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

using Support = std::vector<Index>;

Bytes shorter(std::uint64_t entries, std::uint64_t dense, const Collective& collective) {
  return std::min(entries * collective.entry_bytes, dense * collective.element_bytes);
}

// A message that goes dense is added like any other.
HopWork work_on(Bytes bytes, Bytes dense) { return bytes < dense ? HopWork::merge : HopWork::sum; }

Support merged(const Support& a, const Support& b) {
  Support both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// What a rank sends to another in recursive doubling.
class DoublingSizes {
 public:
  explicit DoublingSizes(const Collective& collective) : fold_(collective.ranks) {
    const std::vector<Support>& supports = *collective.supports;
    auto size = [&](const Support& support) { return shorter(support.size(), collective.count, collective); };
    for (const Support& support : supports) own_.push_back(size(support));
    std::vector<Support> sums;
    for (Rank role = 0; role < fold_.roles; ++role) {
      Rank rank = fold_.rank_of(role);
      sums.push_back(fold_.is_paired(rank) ? merged(supports[rank], supports[rank + 1]) : supports[rank]);
    }
    while (true) {
      std::vector<Bytes>& level = by_level_.emplace_back();
      for (const Support& sum : sums) level.push_back(size(sum));
      if (sums.size() == 1) return;
      for (std::size_t i = 0; i < sums.size() / 2; ++i) sums[i] = merged(sums[2 * i], sums[2 * i + 1]);
      sums.resize(sums.size() / 2);
    }
  }

  const Fold& fold() const { return fold_; }
  /// By level l: the sums of aligned groups of 2^l roles.
  const std::vector<std::vector<Bytes>>& by_level() const { return by_level_; }

  Bytes operator()(Rank from, Rank to) const {
    if (!fold_.plays(from)) return own_[from];
    if (!fold_.plays(to)) return by_level_.back().front();
    auto level = static_cast<std::size_t>(std::countr_zero(fold_.role(from) ^ fold_.role(to)));
    return by_level_[level][fold_.role(from) >> level];
  }
  Bytes largest_own() const { return *std::max_element(own_.begin(), own_.end()); }

 private:
  Fold fold_;
  std::vector<Bytes> own_;
  std::vector<std::vector<Bytes>> by_level_;
};

std::unique_ptr<Schedule> doubling(const Collective& collective) {
  auto sizes = std::make_shared<const DoublingSizes>(collective);
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
  DoublingSizes sizes(collective);
  auto work = [&](Bytes bytes) {
    return network.transport.hop_s(work_on(bytes, collective.count * collective.element_bytes), bytes);
  };
  double seconds = 0;
  for (std::size_t level = 0; level + 1 < sizes.by_level().size(); ++level) {
    const std::vector<Bytes>& of_groups = sizes.by_level()[level];
    Bytes longest = *std::max_element(of_groups.begin(), of_groups.end());
    seconds += transfer_seconds(static_cast<double>(longest), network, flows_across(1U << level, network)) +
               work(longest);
  }
  if (sizes.fold().others > 0)
    seconds += transfer_seconds(static_cast<double>(sizes.largest_own()), network) +
               work(sizes.largest_own()) +
               transfer_seconds(static_cast<double>(sizes.by_level().back().front()), network);
  return seconds;
}

// Chunk c is summed over ranks c, c+1 …: its size after each of them.
class RingSizes {
 public:
  explicit RingSizes(const Collective& collective)
      : ranks_(collective.ranks),
        count_(collective.count),
        chunks_(Division::even(collective.count, ranks_, collective.element_bytes)),
        sizes_(std::size_t{ranks_} * ranks_) {
    const Supports& supports = *collective.supports;
    std::vector<std::size_t> at(ranks_, 0);                        // in each rank's support, as chunks go on
    std::vector<std::uint32_t> held(count_ / ranks_ + 1, ranks_);  // by place: the chunk that last held it
    for (std::uint32_t chunk = 0; chunk < ranks_; ++chunk) {
      std::uint64_t first = chunks_.start(chunk), end = chunks_.start(chunk + 1), entries = 0;
      for (std::uint32_t addends = 1; addends <= ranks_; ++addends) {
        Rank rank = (chunk + addends - 1) % ranks_;
        const Support& support = supports[rank];
        for (std::size_t& next = at[rank]; next < support.size() && support[next] < end; ++next)
          if (std::uint32_t& last = held[support[next] - first]; last != chunk) {
            last = chunk;
            ++entries;
          }
        sizes_[place(chunk, addends)] = shorter(entries, end - first, collective);
      }
    }
  }

  Bytes of(std::uint32_t chunk, std::uint32_t addends) const { return sizes_[place(chunk, addends)]; }
  Bytes dense(std::uint32_t chunk) const {
    return chunks_.action(Action::Kind::send, 0, chunk, chunk + 1).bytes;
  }

  /// Of the chunk that begins there; the sum of all ranks, or what has been summed when `from` sends it.
  Bytes operator()(const Action& action, Rank from, bool whole) const {
    if (action.first == action.last) return 0;
    auto chunk = static_cast<std::uint32_t>(((action.first + 1) * ranks_ - 1) / count_);
    return of(chunk, whole ? ranks_ : (from + ranks_ - chunk) % ranks_ + 1);
  }

  RingShape shape() const {
    RingShape ring{2 * (ranks_ - 1), {}, ranks_ - 1};
    for (std::uint32_t chunk = 0; chunk < ranks_; ++chunk) {
      ring.blocks.push_back(of(chunk, ranks_));
      ring.dense.push_back(dense(chunk));
    }
    ring.growing.assign(sizes_.begin(), sizes_.end() - ranks_);
    return ring;
  }

 private:
  // By addends, then by the rank that sends the chunk when so many are summed.
  std::size_t place(std::uint32_t chunk, std::uint32_t addends) const {
    return std::size_t{addends - 1} * ranks_ + (chunk + addends - 1) % ranks_;
  }

  std::uint32_t ranks_;
  std::uint64_t count_;
  Division chunks_;
  std::vector<Bytes> sizes_;
};

std::unique_ptr<Schedule> ring(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto sizes = std::make_shared<const RingSizes>(collective);
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
  RingSizes sizes(collective);
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
