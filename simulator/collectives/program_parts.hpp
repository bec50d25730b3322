// The few patterns of which collectives are made: rounds around a ring, pairwise exchanges on a hypercube,
// binomial trees, and one program behind another.
#pragma once

#include <functional>
#include <memory>

#include "simulator/collectives/division.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// N−1 rounds: round t sends block (first_block − t) mod N to the next rank and takes block
/// (first_block − t − 1) mod N from the one before, as `taking` says (receive or reduce).
std::unique_ptr<RankProgram> ring_rounds(Rank rank, std::uint32_t ranks, std::uint32_t first_block,
                                         Action::Kind taking, const Division& division);

/// N must be a power of two. Partners are at distances N/2, N/4 … 1; of the blocks that a rank still holds it
/// sends the partner's half and reduces its own, so that it ends with block `rank` summed.
std::unique_ptr<RankProgram> recursive_halving(Rank rank, std::uint32_t ranks, const Division& division);

/// N must be a power of two. Partners are at distances 1, 2 … N/2 and swap all blocks that they hold; a rank
/// begins with block `rank`.
std::unique_ptr<RankProgram> recursive_doubling(Rank rank, std::uint32_t ranks, const Division& division);

/// Sums the whole buffer at rank 0: a rank reduces what its children at distances 1, 2, 4 … hold, then sends
/// to its parent.
std::unique_ptr<RankProgram> binomial_reduce(Rank rank, std::uint32_t ranks, const Division& whole);

/// Carries the whole buffer from the root: a rank receives from its parent, then sends to its children, the
/// root of the largest subtree first.
std::unique_ptr<RankProgram> binomial_broadcast(Rank rank, std::uint32_t ranks, Rank root,
                                                const Division& whole);

std::unique_ptr<RankProgram> one_after_another(std::unique_ptr<RankProgram> first,
                                               std::unique_ptr<RankProgram> second);

/// A schedule from a function that makes each rank's program.
std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks,
                                        std::function<std::unique_ptr<RankProgram>(Rank)> program);

/// The same for programs that go around a ring in that many rounds: rank r begins with block r, and the
/// division is that of all rounds.
std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::uint32_t rounds,
                                             const Division& division,
                                             std::function<std::unique_ptr<RankProgram>(Rank)> program);

/// Rounds of a binomial tree: the logarithm to base two, rounded up.
std::uint32_t tree_rounds(std::uint32_t ranks);

/// What a hypercube's algorithms answer to `refuses`.
std::string refuses_unless_power_of_two(const Collective& collective);

}  // namespace traincast
