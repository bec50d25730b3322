// Every algorithm of the catalogs, for many numbers of ranks and sizes: it ends, and every contribution is
// exactly once at every rank.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <ostream>

#include "simulator/collectives/collective_catalog.hpp"
#include "tests/simulator/network/schedule_interpreter.hpp"

namespace traincast {
namespace {

constexpr Word kWords[] = {Word::all_reduce, Word::all_gather, Word::broadcast};

std::vector<Collective> collectives_of(Word word, std::uint32_t ranks) {
  std::vector<Collective> all;
  switch (word) {
    case Word::all_reduce:
      for (std::uint64_t count : {0, 1, 3, 7, 31, 97, 128})
        all.push_back({.word = word, .ranks = ranks, .element_bytes = count % 2 ? 4U : 2U, .count = count});
      break;
    case Word::all_gather:
      for (Bytes scale : {0, 1, 3, 5}) {
        Collective collective{.word = word, .ranks = ranks};
        for (Rank rank = 0; rank < ranks; ++rank)
          collective.bytes.push_back(scale == 5 ? 5 : scale * (rank % 3));
        all.push_back(collective);
      }
      break;
    case Word::broadcast:
      for (Rank root : {Rank{0}, ranks / 2, ranks - 1})
        for (Bytes size : {0, 13})
          all.push_back({.word = word, .ranks = ranks, .bytes = {size}, .root = root});
      break;
  }
  return all;
}

struct Case {
  Word word;
  std::string name;
  std::uint32_t ranks;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << to_string(one.word) << ' ' << one.name << " of " << one.ranks;
}

std::vector<Case> cases() {
  std::vector<std::uint32_t> numbers(17);
  std::iota(numbers.begin(), numbers.end(), 1U);
  numbers.push_back(64);
  std::vector<Case> all;
  for (Word word : kWords)
    for (const auto& entry : collective_catalog(word).entries())
      for (std::uint32_t ranks : numbers)
        if (entry.make.refuses(collectives_of(word, ranks).front()).empty())
          all.push_back({word, std::string(entry.name), ranks});
  return all;
}

std::unique_ptr<Schedule> make(const std::string& name, const Collective& collective) {
  return choose_algorithm(name, collective, {}).make.schedule(collective);
}

class EveryCollective : public testing::TestWithParam<Case> {};

TEST_P(EveryCollective, BringsEveryContributionOnceToEveryRank) {
  auto [word, name, ranks] = GetParam();
  for (const Collective& collective : collectives_of(word, ranks)) {
    auto after = held_after(collective);
    auto result = interpret(*make(name, collective), after.size(), held_before(collective));
    ASSERT_EQ(result.error, "");
    for (Rank rank = 0; rank < ranks; ++rank)
      EXPECT_TRUE(result.held[rank] == after) << "rank " << rank << ", " << after.size() << " elements";
    EXPECT_EQ(std::accumulate(result.sent.begin(), result.sent.end(), Bytes{0}),
              std::accumulate(result.received.begin(), result.received.end(), Bytes{0}));
  }
}

// A rank must receive what it lacks: all other messages, or at least its part of the sums.
TEST_P(EveryCollective, MovesNoLessThanTheLowerBound) {
  auto [word, name, ranks] = GetParam();
  for (const Collective& collective : collectives_of(word, ranks)) {
    auto result = interpret(*make(name, collective), buffer_elements(collective), held_before(collective));
    Bytes total = std::accumulate(result.sent.begin(), result.sent.end(), Bytes{0});
    Bytes size = buffer_elements(collective) * (word == Word::all_reduce ? collective.element_bytes : 1);
    if (word == Word::all_reduce)
      EXPECT_GE(total, 2 * (ranks - 1) * size);
    else
      EXPECT_EQ(total, (ranks - 1) * size);
  }
}

TEST_P(EveryCollective, OfOneRankDoesNothing) {
  auto [word, name, ranks] = GetParam();
  if (ranks > 1) return;
  for (const Collective& collective : collectives_of(word, 1)) {
    Action action;
    EXPECT_FALSE(make(name, collective)->program(0)->next(action));
    EXPECT_EQ(choose_algorithm(name, collective, {.latency = 1, .bandwidth = 1})
                  .make.estimate(collective, {1, 1, 1}),
              0);
  }
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryCollective, testing::ValuesIn(cases()), [](const auto& of) {
  return std::string(to_string(of.param.word)) + "_" + of.param.name + "_" + std::to_string(of.param.ranks);
});

Interpretation run_all_reduce(const std::string& name, std::uint32_t ranks, std::uint64_t count) {
  Collective collective{.ranks = ranks, .element_bytes = 4, .count = count};
  return interpret(*make(name, collective), count, held_before(collective));
}

TEST(RingAllReduce, ChunksAreRoundedDownAtBothEnds) {
  for (std::uint32_t ranks : {2U, 3U, 5U, 7U})
    for (std::uint64_t count : {0U, 1U, 4U, 10U, 101U}) {
      Collective collective{.ranks = ranks, .element_bytes = 4, .count = count};
      auto schedule = make("ring", collective);
      for (Rank rank = 0; rank < ranks; ++rank) {
        auto program = schedule->program(rank);
        Action first;
        ASSERT_TRUE(program->next(first));
        EXPECT_EQ(first.kind, Action::Kind::send);
        EXPECT_EQ(first.first, rank * count / ranks);
        EXPECT_EQ(first.last, (rank + 1) * count / ranks);
        EXPECT_EQ(first.bytes, 4 * (first.last - first.first));
      }
    }
}

// Reduce-scatter sends all chunks but the one that the rank ends with (rank + 1), all-gather all but the one
// behind that.
TEST(RingAllReduce, SendsTheBufferTwiceButForTwoChunks) {
  for (std::uint32_t ranks : {2U, 3U, 5U, 16U}) {
    std::uint64_t count = 103;
    auto result = run_all_reduce("ring", ranks, count);
    auto chunk = [&](std::uint64_t c) { return (c + 1) * count / ranks - c * count / ranks; };
    for (Rank rank = 0; rank < ranks; ++rank)
      EXPECT_EQ(result.sent[rank], 4 * (2 * count - chunk((rank + 1) % ranks) - chunk((rank + 2) % ranks)));
    EXPECT_EQ(result.transfers, 2ULL * ranks * (ranks - 1));
  }
}

TEST(HalvingDoublingAllReduce, SendsTwiceAllButAnNthFromEveryRank) {
  for (std::uint32_t ranks : {2U, 4U, 8U, 64U}) {
    auto result = run_all_reduce("halving_doubling", ranks, 128);
    for (Rank rank = 0; rank < ranks; ++rank) EXPECT_EQ(result.sent[rank], 4 * 2 * (128 - 128 / ranks));
    EXPECT_EQ(result.transfers, 2ULL * ranks * static_cast<unsigned>(std::bit_width(ranks - 1)));
  }
}

// Every rank but the root sends its sum once; the tree has N−1 edges, and the root log2 N of them.
TEST(BinomialTreeAllReduce, SendsTheBufferOverEveryEdgeTwice) {
  for (std::uint32_t ranks : {2U, 5U, 8U, 17U}) {
    auto result = run_all_reduce("binomial_tree", ranks, 10);
    EXPECT_EQ(result.transfers, 2 * (ranks - 1));
    EXPECT_EQ(result.sent[0], 40U * static_cast<unsigned>(std::bit_width(ranks - 1)));
    EXPECT_EQ(result.received[1], 40U);
  }
}

TEST(RingAllGather, SendsEveryMessageFromEveryRankButItsLastOwner) {
  Collective collective{.word = Word::all_gather, .ranks = 4, .bytes = {1, 20, 300, 4000}};
  auto result = interpret(*make("ring", collective), 4321, held_before(collective));
  EXPECT_EQ(result.sent, (std::vector<Bytes>{4321 - 20, 4321 - 300, 4321 - 4000, 4321 - 1}));
  EXPECT_EQ(result.received, (std::vector<Bytes>{4320, 4301, 4021, 321}));
}

TEST(RecursiveDoublingAllGather, SendsWhatItHoldsInEveryRound) {
  Collective collective{.word = Word::all_gather, .ranks = 4, .bytes = {1, 20, 300, 4000}};
  auto result = interpret(*make("recursive_doubling", collective), 4321, held_before(collective));
  EXPECT_EQ(result.sent, (std::vector<Bytes>{1 + 21, 20 + 21, 300 + 4300, 4000 + 4300}));
}

}  // namespace
}  // namespace traincast
