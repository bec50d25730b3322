// A collective algorithm as data: for each rank a lazy program of transfers. No network in sight, so that it
// can be checked, counted and drawn without one; O(1) state per rank, never stored whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

using Rank = std::uint32_t;

class KnownUnions;

/// One collective to carry out among ranks 0 … N−1.
struct Collective {
  Word word = Word::all_reduce;
  std::uint32_t ranks = 1;
  Bytes element_bytes = 4;     ///< all_reduce, reduce_scatter
  std::uint64_t count = 0;     ///< all_reduce, reduce_scatter: elements of each rank's addend
  std::vector<Bytes> bytes{};  ///< all_gather: of each rank; broadcast: one; all_to_all: from rank i to rank
                               ///< j in place i·N + j
  Rank root = 0;               ///< broadcast
  std::uint32_t group = 1;     ///< neighbouring ranks of one node; 1 where nodes are not alike
  /// sparse_all_reduce, of `count` elements of which each rank sends some: their places, rising, by rank; and
  /// the bytes of a place with its value.
  std::shared_ptr<const Supports> supports{};
  std::uint32_t channels = 0;  ///< multi_ring: rings at most; 0: one for each rank of a node
  Bytes pulled = 0;            ///< push_pull: what servers send back to each rank
  std::uint32_t servers = 0;   ///< push_pull: hosts behind the ranks that sum
  std::uint64_t step = 0;      ///< neighbours: graphs may change from step to step
  std::shared_ptr<const std::vector<std::vector<Transfer>>> rounds{};  ///< rounds
  Bytes entry_bytes = 8;
  std::shared_ptr<KnownUnions> unions{};  ///< sparse_all_reduce: what was counted before; may be null
};

/// What a rank does with a message that it takes as `reduce`, before it goes on.
enum class HopWork : std::uint8_t {
  sum,         ///< adds dense elements
  merge,       ///< unites sorted entries with those that it holds
  recompress,  ///< decodes, adds and encodes again
};

/// A step of a rank's program. Elements [first, last) lie in the collective's buffer: the summed vector in
/// elements (all_reduce, reduce_scatter, sparse_all_reduce: with zeros), all messages one behind the other in
/// bytes (all_gather, all_to_all), the message in bytes (broadcast). A range that runs past the end of the
/// buffer goes on at its beginning.
struct Action {
  enum class Kind {
    send,     ///< queued, with what the rank holds now; leaves when what this program sent before has
              ///< arrived. The program goes on at once
    receive,  ///< the program goes on when it has arrived; it overwrites
    reduce,   ///< like receive, and adds to what is there; what is queued keeps its content
  } kind = Kind::send;
  Rank peer = 0;
  std::uint64_t first = 0, last = 0;
  Bytes bytes = 0;
  HopWork work = HopWork::sum;  ///< of `reduce`
};

/// What one rank does on one channel, in order. A transfer starts when its sender's earlier transfers have
/// arrived, the sender's program has reached it (so what it forwards is there), and the receiver's program
/// waits for it.
class RankProgram {
 public:
  virtual ~RankProgram() = default;
  virtual bool next(Action& action) = 0;  ///< false at the end
};

/// Rounds around the ring of all ranks: in round t rank r sends block (r − t) mod N to rank r + 1, and takes
/// block (r − 1 − t) mod N from rank r − 1.
struct RingShape {
  std::uint32_t rounds = 0;
  std::vector<Bytes> blocks;        ///< the size of each
  std::uint32_t summed_rounds = 0;  ///< the first ones, whose messages are taken as `reduce`
  /// Where sparse messages grow while they are summed: of each summed round, one behind the other, what every
  /// rank sends. Those shorter than their block's `dense` are merged. Empty: as long as `blocks`, and dense.
  std::vector<Bytes> growing{};
  std::vector<Bytes> dense{};  ///< of each block

  /// What rank r sends in round t, and what its receiver does with it where it sums.
  struct Sent {
    Bytes bytes;
    HopWork work;
  };
  Sent sent(std::uint32_t t, Rank r) const {
    std::size_t n = blocks.size(), block = (r + n - t % n) % n;
    if (growing.empty() || t >= summed_rounds) return {blocks[block], HopWork::sum};
    Bytes bytes = growing[t * n + r];
    return {bytes, bytes < dense[block] ? HopWork::merge : HopWork::sum};
  }
};

class Schedule {
 public:
  virtual ~Schedule() = default;
  virtual std::uint32_t ranks() const = 0;
  /// Programs of one rank that run side by side: each sends one transfer at a time and receives one, from and
  /// to the same channel of its peers, and they share the rank's links. They deal with different elements.
  virtual std::uint32_t channels() const { return 1; }
  virtual std::unique_ptr<RankProgram> program(Rank rank, std::uint32_t channel = 0) const = 0;
  /// Where the programs are nothing but rounds around a ring, on one channel, its shape: O(N) that stand for
  /// O(N²) actions.
  virtual std::optional<RingShape> ring() const { return {}; }
};

}  // namespace traincast
