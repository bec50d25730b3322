// How long the messages of a sparse all-reduce are: they hold unions of the ranks' supports, and travel dense
// where that is shorter.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "simulator/collectives/division.hpp"
#include "simulator/collectives/program_parts.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// What a rank sends to another in recursive doubling.
class DoublingSizes {
 public:
  explicit DoublingSizes(const Collective& collective);

  const Fold& fold() const { return fold_; }
  /// By level l: the sums of aligned groups of 2^l roles.
  const std::vector<std::vector<Bytes>>& by_level() const { return by_level_; }
  Bytes operator()(Rank from, Rank to) const;
  Bytes largest_own() const;

 private:
  Fold fold_;
  std::vector<Bytes> own_;
  std::vector<std::vector<Bytes>> by_level_;
};

/// Around a ring chunk c is summed over ranks c, c+1 …: its size after each of them.
class RingSizes {
 public:
  explicit RingSizes(const Collective& collective);

  Bytes of(std::uint32_t chunk, std::uint32_t addends) const { return sizes_[place(chunk, addends)]; }
  Bytes dense(std::uint32_t chunk) const;
  /// Of the chunk that begins there; the sum of all ranks, or what has been summed when `from` sends it.
  Bytes operator()(const Action& action, Rank from, bool whole) const;
  RingShape shape() const;

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

/// Sizes do not depend on the network: collectives that carry this count the unions of the same supports
/// once, however many networks they are tried on.
class KnownUnions {
 public:
  std::shared_ptr<const DoublingSizes> doubling(const Collective& collective);
  std::shared_ptr<const RingSizes> ring(const Collective& collective);

 private:
  struct Sizes {
    std::uint64_t count = 0;
    Bytes element_bytes = 0, entry_bytes = 0;
    std::shared_ptr<const DoublingSizes> doubling;
    std::weak_ptr<const RingSizes> ring;  // N² numbers, kept while schedules have them
  };
  Sizes& of(const Collective& collective);

  std::map<std::weak_ptr<const Supports>, Sizes, std::owner_less<>> known_;
  std::shared_ptr<const RingSizes> last_ring_;
};

/// Those that the collective knows, or new ones.
std::shared_ptr<const DoublingSizes> doubling_sizes(const Collective& collective);
std::shared_ptr<const RingSizes> ring_sizes(const Collective& collective);

}  // namespace traincast
