// Messages of sparse all-reduces against unions of the supports, counted by brute force.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <set>

#include "base/error.hpp"
#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

using Supports = std::vector<std::vector<Index>>;
constexpr Bytes kEntry = 8, kElement = 4;

Collective collective_of(Supports supports, std::uint64_t count) {
  auto ranks = static_cast<std::uint32_t>(supports.size());
  return {.word = Word::sparse_all_reduce,
          .ranks = ranks,
          .count = count,
          .supports = std::make_shared<const Supports>(std::move(supports)),
          .entry_bytes = kEntry};
}

Supports drawn(std::uint32_t ranks, std::uint64_t count, std::size_t most) {
  std::mt19937 random(ranks);
  Supports supports;
  for (Rank rank = 0; rank < ranks; ++rank) {
    std::set<Index> places;
    for (std::size_t i = random() % (most + 1); i > 0; --i)
      places.insert(static_cast<Index>(random() % count));
    supports.emplace_back(places.begin(), places.end());
  }
  return supports;
}

// The union of what so many ranks from one on hold in [first, end), or the dense range where that is shorter.
Bytes bytes_of(const Supports& supports, Rank from, std::uint32_t many, std::uint64_t first,
               std::uint64_t end) {
  std::set<Index> held;
  for (std::uint32_t i = 0; i < many; ++i)
    for (Index place : supports[(from + i) % supports.size()])
      if (place >= first && place < end) held.insert(place);
  return std::min(kEntry * held.size(), kElement * (end - first));
}

std::vector<Bytes> sent_by(const Schedule& schedule, Rank rank) {
  std::vector<Bytes> sent;
  auto program = schedule.program(rank);
  for (Action action; program->next(action);)
    if (action.kind == Action::Kind::send) sent.push_back(action.bytes);
  return sent;
}

TEST(RingSparseAllReduce, SendsTheUnionOfTheRanksThatAChunkHasPassed) {
  for (std::uint32_t n : {2U, 3U, 8U, 13U})
    for (std::uint64_t count : {5U, 101U, 1000U}) {
      Supports supports = drawn(n, count, count / 4);
      auto schedule = make_schedule("ring", collective_of(supports, count));
      auto expected = [&](std::uint32_t chunk, std::uint32_t addends) {
        return bytes_of(supports, chunk, addends, chunk * count / n, (chunk + 1) * count / n);
      };
      for (Rank rank = 0; rank < n; ++rank) {
        std::vector<Bytes> all;
        for (std::uint32_t t = 0; t + 1 < n; ++t) all.push_back(expected((rank + n - t) % n, t + 1));
        for (std::uint32_t t = 0; t + 1 < n; ++t) all.push_back(expected((rank + 1 + n - t) % n, n));
        EXPECT_EQ(sent_by(*schedule, rank), all) << "rank " << rank << " of " << n;
      }
    }
}

TEST(RecursiveDoublingSparseAllReduce, SendsTheUnionOfItsGroup) {
  for (std::uint32_t n : {2U, 4U, 8U, 16U}) {
    Supports supports = drawn(n, 500, 60);
    auto schedule = make_schedule("recursive_doubling", collective_of(supports, 500));
    for (Rank rank = 0; rank < n; ++rank) {
      std::vector<Bytes> all;
      for (std::uint32_t d = 1; d < n; d *= 2) all.push_back(bytes_of(supports, rank / d * d, d, 0, 500));
      EXPECT_EQ(sent_by(*schedule, rank), all) << "rank " << rank << " of " << n;
    }
  }
}

// Of 6 ranks, 1 and 3 sit out: rank 0 sums 0 and 1, then {0 1 2 3}, and sends all to rank 1.
TEST(RecursiveDoublingSparseAllReduce, MergesThoseThatSitOutFirst) {
  Supports supports = drawn(6, 500, 60);
  auto schedule = make_schedule("recursive_doubling", collective_of(supports, 500));
  auto of = [&](Rank from, std::uint32_t many) { return bytes_of(supports, from, many, 0, 500); };
  EXPECT_EQ(sent_by(*schedule, 0), (std::vector<Bytes>{of(0, 2), of(0, 4), of(0, 6)}));
  EXPECT_EQ(sent_by(*schedule, 1), (std::vector<Bytes>{of(1, 1)}));
  EXPECT_EQ(sent_by(*schedule, 5), (std::vector<Bytes>{of(5, 1), of(4, 2)}));
}

// Disjoint supports of k: messages of k, 2k, 4k … entries, together N−1 times k.
TEST(RecursiveDoublingSparseAllReduce, OfDisjointSupportsTakesNMinusOneTimesTheirBytes) {
  for (std::uint32_t n : {2U, 4U, 8U, 16U}) {
    Supports supports(n);
    for (Index place = 0; place < 1000 * n; ++place) supports[place % n].push_back(place);
    auto times = replay_collective(*make_schedule("recursive_doubling", collective_of(supports, 1'000'000)),
                                   *plain_star(), std::vector<double>(n, 0.0));
    double expected = std::log2(n) * kAlpha + (n - 1) * kBeta * kEntry * 1000;
    EXPECT_NEAR(*std::max_element(times.finish_s.begin(), times.finish_s.end()), expected, 1e-9 * expected);
  }
}

// Equal supports do not grow: 2(N−1) rounds of the k/N entries of a chunk.
TEST(RingSparseAllReduce, OfEqualSupportsTakesTheDenseRingsRounds) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    std::vector<Index> every_tenth;
    for (Index place = 0; place < 10'000 * n; place += 10) every_tenth.push_back(place);
    Collective collective = collective_of(Supports(n, every_tenth), 10'000ULL * n);
    auto times =
        replay_collective(*make_schedule("ring", collective), *plain_star(), std::vector<double>(n, 0.0));
    double expected = 2.0 * (n - 1) * (kAlpha + kBeta * kEntry * 1000);
    EXPECT_NEAR(*std::max_element(times.finish_s.begin(), times.finish_s.end()), expected, 1e-9 * expected);
    EXPECT_NEAR(choose_algorithm("ring", collective, {}).make.estimate(collective, {kAlpha, 1 / kBeta}),
                expected, 1e-9 * expected);
  }
}

TEST(SparseAllReduce, RefusesSupportsThatAreNoSetsOfPlaces) {
  auto refusal = [](Supports supports) -> std::string {
    try {
      make_schedule("ring", collective_of(std::move(supports), 10));
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({{1}, {3, 3}}), "sparse_all_reduce: the support of rank 1 must rise from place to place");
  EXPECT_EQ(refusal({{10}, {}}), "sparse_all_reduce: the support of rank 0 must lie below 10, got 10");
  EXPECT_EQ(refusal({{1}, {}}), "");
}

}  // namespace
}  // namespace traincast
