#include "simulator/collectives/sparse_sizes.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace traincast {

namespace {

using Support = std::vector<Index>;

Bytes shorter(std::uint64_t entries, std::uint64_t dense, const Collective& collective) {
  return std::min(entries * collective.entry_bytes, dense * collective.element_bytes);
}

// What is known of a place while all entries are visited: nothing, or what a visitor wrote there.
constexpr std::uint32_t kUnheld = UINT32_MAX;

// Every entry of every rank, chunk by chunk, so that what is noted of a chunk's places stays in the cache;
// within a chunk rank by rank, from the one that `first_rank` names.
template <class FirstRank, class Visit, class EndOfRank>
void for_each_entry(const Supports& supports, const Division& chunks, FirstRank first_rank, Visit visit,
                    EndOfRank end_of_rank) {
  auto ranks = static_cast<Rank>(supports.size());
  std::vector<std::size_t> at(ranks, 0);  // in each rank's support, as chunks go on
  std::vector<std::uint32_t> noted;       // by place of the chunk
  for (std::uint32_t chunk = 0; chunk < chunks.blocks(); ++chunk) {
    std::uint64_t first = chunks.start(chunk), end = chunks.start(chunk + 1);
    noted.assign(end - first, kUnheld);
    for (Rank i = 0; i < ranks; ++i) {
      Rank rank = (first_rank(chunk) + i) % ranks;
      const Support& support = supports[rank];
      for (std::size_t& next = at[rank]; next < support.size() && support[next] < end; ++next)
        visit(rank, noted[support[next] - first]);
      end_of_rank(chunk, i);
    }
  }
}

}  // namespace

DoublingSizes::DoublingSizes(const Collective& collective) : fold_(collective.ranks) {
  const Supports& supports = *collective.supports;
  auto size = [&](std::uint64_t entries) { return shorter(entries, collective.count, collective); };
  auto level_of = [](Rank a, Rank b) { return static_cast<std::size_t>(std::bit_width(a ^ b)); };
  // Entries of a group's members, less those that a later member holds again: of each place and its two
  // holders that follow one another, one is spare in the smallest group that has both, and those around it.
  std::vector<std::vector<std::uint64_t>> entries;
  for (Rank groups = fold_.roles; groups > 0; groups /= 2) entries.emplace_back(groups, 0);
  auto chunks = Division::even(collective.count, collective.ranks, collective.element_bytes);
  for_each_entry(
      supports, chunks, [](std::uint32_t) { return Rank{0}; },
      [&](Rank rank, std::uint32_t& last_role) {
        Rank role = fold_.role(rank);
        if (last_role != kUnheld) {
          std::size_t level = level_of(last_role, role);
          --entries[level][role >> level];
        }
        last_role = role;
      },
      [](std::uint32_t, Rank) {});
  for (Rank rank = 0; rank < collective.ranks; ++rank) {
    own_.push_back(size(supports[rank].size()));
    entries[0][fold_.role(rank)] += supports[rank].size();
  }
  for (std::size_t level = 0; level < entries.size(); ++level) {
    std::vector<Bytes>& sizes = by_level_.emplace_back();
    for (std::size_t group = 0; group < entries[level].size(); ++group) {
      if (level > 0)
        entries[level][group] += entries[level - 1][2 * group] + entries[level - 1][2 * group + 1];
      sizes.push_back(size(entries[level][group]));
    }
  }
}

Bytes DoublingSizes::operator()(Rank from, Rank to) const {
  if (!fold_.plays(from)) return own_[from];
  if (!fold_.plays(to)) return by_level_.back().front();
  auto level = static_cast<std::size_t>(std::countr_zero(fold_.role(from) ^ fold_.role(to)));
  return by_level_[level][fold_.role(from) >> level];
}
Bytes DoublingSizes::largest_own() const { return *std::max_element(own_.begin(), own_.end()); }

RingSizes::RingSizes(const Collective& collective)
    : ranks_(collective.ranks),
      count_(collective.count),
      chunks_(Division::even(collective.count, ranks_, collective.element_bytes)),
      sizes_(std::size_t{ranks_} * ranks_) {
  std::uint64_t entries = 0;
  for_each_entry(
      *collective.supports, chunks_, [](std::uint32_t chunk) { return chunk; },
      [&](Rank, std::uint32_t& held) {
        if (held == kUnheld) ++entries;
        held = 0;
      },
      [&](std::uint32_t chunk, Rank passed) {
        sizes_[place(chunk, passed + 1)] =
            shorter(entries, chunks_.start(chunk + 1) - chunks_.start(chunk), collective);
        if (passed + 1 == ranks_) entries = 0;
      });
}

Bytes RingSizes::dense(std::uint32_t chunk) const {
  return chunks_.action(Action::Kind::send, 0, chunk, chunk + 1).bytes;
}

Bytes RingSizes::operator()(const Action& action, Rank from, bool whole) const {
  if (action.first == action.last) return 0;
  auto chunk = static_cast<std::uint32_t>(((action.first + 1) * ranks_ - 1) / count_);
  return of(chunk, whole ? ranks_ : (from + ranks_ - chunk) % ranks_ + 1);
}

RingShape RingSizes::shape() const {
  RingShape ring{2 * (ranks_ - 1), {}, ranks_ - 1};
  for (std::uint32_t chunk = 0; chunk < ranks_; ++chunk) {
    ring.blocks.push_back(of(chunk, ranks_));
    ring.dense.push_back(dense(chunk));
  }
  ring.growing.assign(sizes_.begin(), sizes_.end() - ranks_);
  return ring;
}

KnownUnions::Sizes& KnownUnions::of(const Collective& collective) {
  std::erase_if(known_, [](const auto& sizes) { return sizes.first.expired(); });
  Sizes& sizes = known_[collective.supports];
  auto depends_on = [](auto& all) { return std::tie(all.count, all.element_bytes, all.entry_bytes); };
  if (depends_on(sizes) != depends_on(collective))
    sizes = {collective.count, collective.element_bytes, collective.entry_bytes, {}, {}};
  return sizes;
}

std::shared_ptr<const DoublingSizes> KnownUnions::doubling(const Collective& collective) {
  Sizes& sizes = of(collective);
  if (!sizes.doubling) sizes.doubling = std::make_shared<const DoublingSizes>(collective);
  return sizes.doubling;
}

std::shared_ptr<const RingSizes> KnownUnions::ring(const Collective& collective) {
  Sizes& sizes = of(collective);
  auto ring = sizes.ring.lock();
  if (!ring) sizes.ring = ring = std::make_shared<const RingSizes>(collective);
  return last_ring_ = ring;
}

std::shared_ptr<const DoublingSizes> doubling_sizes(const Collective& collective) {
  return collective.unions ? collective.unions->doubling(collective)
                           : std::make_shared<const DoublingSizes>(collective);
}

std::shared_ptr<const RingSizes> ring_sizes(const Collective& collective) {
  return collective.unions ? collective.unions->ring(collective)
                           : std::make_shared<const RingSizes>(collective);
}

}  // namespace traincast
