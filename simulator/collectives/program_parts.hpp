// The few patterns of which collectives are made: rounds of one send and one receipt, trees, a written list
// of steps; and what puts them together: one behind another, repeated, and among some of the ranks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "simulator/collectives/division.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

using Program = std::unique_ptr<RankProgram>;

/// A round of an exchange: what is sent, then what is taken.
struct Round {
  Action sent, taken;
};

/// `round(t)` gives round t of `count`.
template <class MakeRound>
class Rounds : public RankProgram {
 public:
  Rounds(std::uint32_t count, MakeRound round) : count_(count), round_(std::move(round)) {}

  bool next(Action& action) override {
    if (at_ == count_) return false;
    if (!sent_) now_ = round_(at_);
    action = sent_ ? now_.taken : now_.sent;
    if (sent_) ++at_;
    sent_ = !sent_;
    return true;
  }

 private:
  std::uint32_t count_;
  MakeRound round_;
  std::uint32_t at_ = 0;
  bool sent_ = false;
  Round now_;
};

template <class MakeRound>
Program rounds(std::uint32_t count, MakeRound round) {
  return std::make_unique<Rounds<MakeRound>>(count, std::move(round));
}

/// N−1 rounds: round t sends block (first_block − t) mod N to the next rank and takes block
/// (first_block − t − 1) mod N from the one before, as `taking` says (receive or reduce). `block(c)` gives
/// the division that block c is in and its place there.
template <class MakeBlock>
Program ring_rounds_of(Rank rank, std::uint32_t ranks, std::uint32_t first_block, Action::Kind taking,
                       MakeBlock block) {
  Rank next = (rank + 1) % ranks, before = (rank + ranks - 1) % ranks;
  return rounds(ranks - 1, [=](std::uint32_t t) {
    auto action = [&](Action::Kind kind, Rank peer, std::uint32_t back) {
      auto [division, place] = block((first_block + 2 * ranks - back) % ranks);
      return division.action(kind, peer, place, place + 1);
    };
    return Round{action(Action::Kind::send, next, t), action(taking, before, t + 1)};
  });
}

/// The same with the blocks of one division.
Program ring_rounds(Rank rank, std::uint32_t ranks, std::uint32_t first_block, Action::Kind taking,
                    const Division& division);

/// Reduce-scatter and all-gather around a ring.
Program ring_all_reduce(Rank rank, std::uint32_t ranks, const Division& chunks);

/// N−1 rounds: round t sends to the rank t+1 ahead and takes from the one as far behind, as `taking` says;
/// `action(kind, peer, from, to)` makes either.
template <class MakeAction>
Program pairwise_rounds(Rank rank, std::uint32_t ranks, Action::Kind taking, MakeAction action) {
  return rounds(ranks - 1, [=](std::uint32_t t) {
    Rank ahead = (rank + t + 1) % ranks, behind = (rank + ranks - t - 1) % ranks;
    return Round{action(Action::Kind::send, ahead, rank, ahead), action(taking, behind, behind, rank)};
  });
}

/// N must be a power of two. Partners are at distances N/2, N/4 … 1; of the blocks that a rank still holds it
/// sends the partner's half and reduces its own, so that it ends with block `rank` summed.
Program recursive_halving(Rank rank, std::uint32_t ranks, const Division& division);

/// N must be a power of two. Partners are at distances 1, 2 … N/2 and swap all blocks that they hold; a rank
/// begins with block `rank`.
Program recursive_doubling(Rank rank, std::uint32_t ranks, const Division& division);

/// Lets an algorithm for a power of two serve any N: 2^k ranks play its roles, and each of the N − 2^k others
/// takes part through the rank before it. Of the first 2(N − 2^k) ranks the even ones play.
struct Fold {
  explicit Fold(std::uint32_t ranks);
  std::uint32_t roles, others;
  bool is_paired(Rank rank) const { return rank < 2 * others; }
  bool plays(Rank rank) const { return !is_paired(rank) || rank % 2 == 0; }
  Rank role(Rank rank) const { return is_paired(rank) ? rank / 2 : rank - others; }
  Rank rank_of(Rank role) const { return role < others ? 2 * role : role + others; }
};

/// `core(role)` sums among the roles. Before it, a pair's sum is brought to its player: of two blocks each
/// rank of the pair sums one, of one block the player sums it. After it, the player sends the result.
Program folded_all_reduce(Rank rank, const Fold& fold, const Division& blocks,
                          const std::function<Program(Rank)>& core);

/// Partners at distances 1, 2 … exchange and sum whole buffers, of one block; any N.
Program recursive_doubling_sum(Rank rank, const Fold& fold, const Division& whole);

/// A rank's place in a tree.
struct TreeNode {
  std::optional<Rank> parent;
  std::vector<Rank> children;
};

/// The root is rank 0; children are at distances 1, 2, 4 …
TreeNode binomial_tree_node(Rank rank, std::uint32_t ranks);

/// Reduces a block of the children, in their order, and sends it to the parent.
Program tree_reduce(const TreeNode& node, const Division& division, std::uint32_t block);
/// Receives a block from the parent and sends it to the children, the last first.
Program tree_broadcast(const TreeNode& node, const Division& division, std::uint32_t block);

Program steps(std::vector<Action> actions);
Program one_after_another(Program first, Program second);
/// Programs 0 … count−1, each made when its turn comes.
Program repeated(std::uint32_t count, std::function<Program(std::uint32_t)> make);
/// A program among some of the ranks: `rank_of` says who plays a role.
Program in_roles(Program program, std::function<Rank(Rank)> rank_of);
/// The actions of which `keep` holds, and no others.
Program only(Program program, std::function<bool(const Action&)> keep);
/// The same actions, each as `revise` leaves it.
Program revised(Program program, std::function<void(Action&)> revise);
/// From the root, ranks hand the blocks of a division on to the next, one behind the other.
Program pipelined_chain(Rank rank, std::uint32_t ranks, Rank root, const Division& segments);
/// The program of the role that a rank plays where roles are counted from the root.
Program from_root(Rank rank, std::uint32_t ranks, Rank root, const std::function<Program(Rank)>& role);

/// A schedule from a function that makes each rank's program.
std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks, std::function<Program(Rank)> program);
/// One schedule behind another, each rank by itself; of the second's channels, and the first's on its first
/// channel.
std::unique_ptr<Schedule> in_sequence(std::shared_ptr<const Schedule> first,
                                      std::shared_ptr<const Schedule> second);
/// The same for each rank and channel.
std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks, std::uint32_t channels,
                                        std::function<Program(Rank, std::uint32_t)> program);
/// The same for programs that go around a ring in that many rounds, the first of which sum: rank r begins
/// with block r, and the division is that of all rounds.
std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::uint32_t rounds,
                                             std::uint32_t summed_rounds, const Division& division,
                                             std::function<Program(Rank)> program);
/// The same for programs whose messages grow: `shape` tells of all of them.
std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::function<RingShape()> shape,
                                             std::function<Program(Rank)> program);

}  // namespace traincast
