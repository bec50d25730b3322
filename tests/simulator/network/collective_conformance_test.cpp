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

// Nodes of the smallest number of ranks that fills them; a prime number of ranks makes one node.
std::uint32_t group_of(std::uint32_t ranks) {
  std::uint32_t group = 2;
  while (group < ranks && ranks % group != 0) ++group;
  return std::min(group, ranks);
}

// Rank r holds every so-many-th place from r on.
Collective sparse_collective(std::uint32_t ranks, std::uint64_t count, unsigned step) {
  std::vector<std::vector<Index>> supports(ranks);
  for (Rank rank = 0; rank < ranks; ++rank)
    for (std::uint64_t place = rank % step; place < count; place += step + rank % 2)
      supports[rank].push_back(static_cast<Index>(place));
  return {.word = Word::sparse_all_reduce,
          .ranks = ranks,
          .count = count,
          .supports = std::make_shared<const std::vector<std::vector<Index>>>(std::move(supports))};
}

std::vector<Collective> collectives_of(Word word, std::uint32_t ranks) {
  std::vector<Collective> all;
  switch (word) {
    case Word::all_reduce:
    case Word::reduce_scatter:
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
    case Word::sparse_all_reduce:
      for (std::uint64_t count : {0, 1, 3, 31, 128})
        for (unsigned step : {1U, 3U}) all.push_back(sparse_collective(ranks, count, step));
      break;
    case Word::all_to_all:
      for (Bytes scale : {0, 1, 2}) {
        Collective collective{.word = word, .ranks = ranks};
        for (std::size_t pair = 0; pair < std::size_t{ranks} * ranks; ++pair)
          collective.bytes.push_back(ranks > 17 ? pair % 61 == 0 : scale == 2 ? 2 : scale * (pair % 3));
        all.push_back(collective);
        if (ranks > 17) break;  // a buffer of N² messages is followed at all N ranks: few of them are enough
      }
      break;
    case Word::push_pull:
      for (Bytes scale : {0, 1, 40}) {
        Collective collective{.word = word, .ranks = ranks};
        for (Rank rank = 0; rank < ranks; ++rank)
          collective.bytes.push_back(scale * (scale == 1 ? rank % 3 : 1 + rank % 3));
        collective.pulled = 2 * scale + 1;
        all.push_back(collective);
      }
      break;
    case Word::neighbours:
      for (std::uint64_t step : {0, 1, 5}) {
        Collective collective{.word = word, .ranks = ranks};
        for (Rank rank = 0; rank < ranks; ++rank) collective.bytes.push_back(1 + rank % 3);
        collective.step = step;
        all.push_back(collective);
      }
      break;
    case Word::rounds: {
      // Everybody to the next, then the even ones to the rank behind, if there is one.
      std::vector<std::vector<Transfer>> rounds(2);
      for (Rank rank = 0; rank < ranks && ranks > 1; ++rank)
        rounds[0].push_back({rank, (rank + 1) % ranks, 1 + rank % 5});
      for (Rank rank = 2; rank < ranks; rank += 2) rounds[1].push_back({rank, rank - 1, 7});
      Collective collective{.word = word, .ranks = ranks};
      collective.rounds = std::make_shared<const std::vector<std::vector<Transfer>>>(rounds);
      all.push_back(collective);
      break;
    }
  }
  for (Collective& collective : all) collective.group = group_of(ranks);
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

// What all ranks together must send: every rank lacks all messages but its own; a sum takes one addend from
// all ranks but one, and an all-reduce brings the result back to them.
Bytes least_bytes(const Collective& collective) {
  Bytes others = collective.ranks - 1;
  if (collective.word == Word::all_to_all) {
    Bytes all = buffer_elements(collective);
    for (std::size_t rank = 0; rank < collective.ranks; ++rank)
      all -= collective.bytes[rank * (collective.ranks + 1)];
    return all;
  }
  if (collective.word == Word::sparse_all_reduce) {  // a value for every place of the sum that a rank lacks
    std::vector<std::uint32_t> holders(collective.count, 0);
    for (const auto& support : *collective.supports)
      for (Index place : support) ++holders[place];
    Bytes lacking = 0;
    for (std::uint32_t held : holders) lacking += held > 0 ? collective.ranks - held : 0;
    return lacking * collective.element_bytes;
  }
  if (collective.word == Word::push_pull) {  // a learner's own part stays, and so does each part's answer
    Bytes pushed = 0;
    for (Bytes bytes : collective.bytes) pushed += bytes - (bytes + others) / collective.ranks;
    return pushed + collective.pulled * others;
  }
  if (collective.word == Word::neighbours)
    return others > 0 ? std::accumulate(collective.bytes.begin(), collective.bytes.end(), Bytes{0}) : 0;
  if (collective.word == Word::rounds) {
    Bytes sent = 0;
    for (const auto& round : *collective.rounds)
      for (const Transfer& transfer : round) sent += transfer.bytes;
    return sent;
  }
  if (collective.word == Word::reduce_scatter) return others * collective.count * collective.element_bytes;
  if (collective.word == Word::all_reduce) return 2 * others * collective.count * collective.element_bytes;
  return others * buffer_elements(collective);
}

class EveryCollective : public testing::TestWithParam<Case> {};

TEST_P(EveryCollective, BringsEveryContributionOnceToEveryRank) {
  auto [word, name, ranks] = GetParam();
  for (const Collective& collective : collectives_of(word, ranks)) {
    auto result = interpret(*make(name, collective), buffer_elements(collective), held_before(collective));
    ASSERT_EQ(result.error, "");
    for (Rank rank = 0; rank < ranks; ++rank) {
      auto after = held_after(collective, rank);
      for (std::size_t element = 0; element < after.size(); ++element)
        ASSERT_TRUE(after[element].empty() || result.held[rank][element] == after[element])
            << "rank " << rank << ", element " << element << " of " << after.size();
    }
    EXPECT_EQ(std::accumulate(result.sent.begin(), result.sent.end(), Bytes{0}),
              std::accumulate(result.received.begin(), result.received.end(), Bytes{0}));
  }
}

TEST_P(EveryCollective, MovesNoLessThanTheLowerBound) {
  auto [word, name, ranks] = GetParam();
  for (const Collective& collective : collectives_of(word, ranks)) {
    auto result = interpret(*make(name, collective), buffer_elements(collective), {});
    EXPECT_GE(std::accumulate(result.sent.begin(), result.sent.end(), Bytes{0}), least_bytes(collective));
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

#ifdef __SANITIZE_ADDRESS__  // what 1,024 ranks touch, 360 touch too, in an eighth of the time
constexpr std::uint32_t kMostRanks = 360;
#else
constexpr std::uint32_t kMostRanks = 1024;
#endif

// Bytes of many ranks, without following who holds what.
TEST(EveryCollectiveOfManyRanks, EndsAndMovesNoLessThanTheLowerBound) {
  for (Word word : kWords)
    for (const auto& entry : collective_catalog(word).entries())
      for (std::uint32_t ranks : {127U, kMostRanks}) {
        Collective collective = collectives_of(word, ranks).back();
        collective.count = 3 * ranks;
        if (!entry.make.refuses(collective).empty()) continue;
        auto result = interpret(*entry.make.schedule(collective), buffer_elements(collective), {});
        EXPECT_EQ(result.error, "") << entry.name << " of " << ranks;
        Bytes sent = std::accumulate(result.sent.begin(), result.sent.end(), Bytes{0});
        Bytes received = std::accumulate(result.received.begin(), result.received.end(), Bytes{0});
        EXPECT_EQ(sent, received);
        EXPECT_GE(sent, least_bytes(collective)) << entry.name << " of " << ranks;
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

// Of N ranks, 2^k play; each exchanges its buffer in k rounds, and N − 2^k others hand theirs in and get it
// back.
TEST(RecursiveDoublingAllReduce, SendsTheBufferInEveryRound) {
  for (std::uint32_t ranks : {2U, 5U, 8U, 13U, 17U}) {
    auto result = run_all_reduce("recursive_doubling", ranks, 10);
    std::uint32_t players = std::bit_floor(ranks);
    auto rounds = static_cast<unsigned>(std::countr_zero(players));
    EXPECT_EQ(result.transfers, players * rounds + 2 * (ranks - players));
    EXPECT_EQ(result.sent[ranks - 1], 40 * rounds);
    EXPECT_EQ(result.sent[0], 40 * (rounds + (ranks > players ? 1 : 0)));
  }
}

// Rings fewer than a node's ranks still sum everything everywhere.
TEST(MultiRingAllReduce, MayHaveFewerRingsThanANodeHasRanks) {
  for (std::uint32_t channels : {1U, 2U, 3U, 7U}) {
    Collective collective{.ranks = 12, .element_bytes = 4, .count = 101, .group = 4};
    collective.channels = channels;
    auto schedule = make("multi_ring", collective);
    EXPECT_EQ(schedule->channels(), std::min(channels, 4U));
    auto result = interpret(*schedule, 101, held_before(collective));
    ASSERT_EQ(result.error, "");
    for (Rank rank = 0; rank < 12; ++rank) EXPECT_EQ(result.held[rank], held_after(collective, rank)) << rank;
  }
}

// The two halves of 2(N−1)/N of the buffer each.
TEST(BidirectionalRingAllReduce, SendsAsMuchEitherWay) {
  for (std::uint32_t ranks : {2U, 3U, 7U}) {
    auto schedule = make("bidirectional_ring", {.ranks = ranks, .element_bytes = 4, .count = 10 * ranks});
    ASSERT_EQ(schedule->channels(), 2U);
    for (std::uint32_t channel : {0U, 1U}) {
      auto program = schedule->program(0, channel);
      Bytes sent = 0;
      for (Action action; program->next(action);) {
        bool sends = action.kind == Action::Kind::send;
        EXPECT_EQ(action.peer, sends == (channel == 0) ? 1 : ranks - 1);
        if (sends) sent += action.bytes;
      }
      EXPECT_EQ(sent, 4 * 10 * (ranks - 1));
    }
  }
}

// Every rank but the roots sends each half once up, and every rank that is no leaf sends it to two children.
TEST(DoubleBinaryTreeAllReduce, LetsARankForwardInOneTreeOnly) {
  for (std::uint32_t ranks = 2; ranks <= 33; ++ranks) {
    auto schedule = make("double_binary_tree", {.ranks = ranks, .count = 100});
    for (Rank rank = 0; rank < ranks; ++rank) {
      int reduced[2] = {0, 0};
      for (std::uint32_t channel : {0U, 1U}) {
        auto program = schedule->program(rank, channel);
        for (Action action; program->next(action);)
          if (action.kind == Action::Kind::reduce) ++reduced[channel];
        EXPECT_LE(reduced[channel], 2);
      }
      EXPECT_TRUE(ranks % 2 == 1 || reduced[0] == 0 || reduced[1] == 0) << rank << " of " << ranks;
    }
  }
}

// Within nodes of g, 2(g−1)/g of the buffer; between K of them, 2(K−1)/K of one g-th.
TEST(HierarchicalAllReduce, SendsANodesShareOnceBetweenNodes) {
  for (std::uint32_t group : {2U, 3U, 5U})
    for (std::uint32_t groups : {2U, 4U, 7U}) {
      Collective collective{.ranks = group * groups, .count = group * groups, .group = group};
      auto schedule = make("hierarchical", collective);
      auto program = schedule->program(1);
      Bytes within = 0, between = 0;
      for (Action action; program->next(action);)
        if (action.kind == Action::Kind::send) (action.peer < group ? within : between) += action.bytes;
      EXPECT_EQ(within, 4 * 2 * (group - 1) * groups);
      EXPECT_EQ(between, 4 * 2 * (groups - 1));
    }
}

TEST(Torus2d, TakesTheSquarestGrid) {
  for (auto [ranks, row] : {std::pair{12U, 3U}, {16U, 4U}, {14U, 2U}, {15U, 3U}}) {
    auto schedule = make("torus_2d", {.ranks = ranks, .count = ranks});
    auto program = schedule->program(0);
    std::uint32_t furthest = 0;
    for (Action action; program->next(action);) furthest = std::max(furthest, action.peer);
    EXPECT_EQ(furthest, ranks - row);  // the last rank of the first column
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

// At distance d, the d messages from its own on; in the last round those that are still missing.
TEST(BruckAllGather, SendsRunsOfNeighbours) {
  Collective collective{.word = Word::all_gather, .ranks = 5, .bytes = {1, 20, 300, 4000, 50'000}};
  auto result = interpret(*make("bruck", collective), 54'321, {});
  EXPECT_EQ(result.sent, (std::vector<Bytes>{1 + 21 + 1, 20 + 320 + 20, 300 + 4300 + 300,
                                             4000 + 54'000 + 4000, 50'000 + 50'001 + 50'000}));
  EXPECT_EQ(result.transfers, 15U);
}

TEST(PaddedAllGather, SendsTheLongestEveryTime) {
  Collective collective{.word = Word::all_gather, .ranks = 4, .bytes = {1, 20, 300, 4000}};
  auto result = interpret(*make("padded", collective), 4321, {});
  EXPECT_EQ(result.sent, std::vector<Bytes>(4, 3 * 4000));
}

// Nodes {0, 1} and {2, 3} hold 22 and 700 bytes; of what its counterpart brings, a rank hands its neighbour
// half.
TEST(HierarchicalAllGather, BringsEveryByteIntoANodeOnce) {
  Collective collective{.word = Word::all_gather, .ranks = 4, .bytes = {2, 20, 300, 400}, .group = 2};
  auto result = interpret(*make("hierarchical", collective), 722, {});
  EXPECT_EQ(result.sent, (std::vector<Bytes>{2 + 11 + 350, 20 + 11 + 350, 300 + 350 + 11, 400 + 350 + 11}));
}

// Six ranks forward: √(6 · 24·64 KiB / 64 KiB) = 12 segments.
TEST(PipelinedRingBroadcast, CutsTheMessageIntoTheBestNumberOfSegments) {
  Collective collective{.word = Word::broadcast, .ranks = 8, .bytes = {24 * 65536}, .root = 3};
  auto result = interpret(*make("pipelined_ring", collective), 24 * 65536, {});
  EXPECT_EQ(result.transfers, 7 * 12U);
  EXPECT_EQ(result.sent[2], 0U);
}

TEST(ReduceScatter, SendsAllButTheOwnBlock) {
  for (const auto& entry : collective_catalog(Word::reduce_scatter).entries())
    for (std::uint32_t ranks : {2U, 8U}) {
      Collective collective{.word = Word::reduce_scatter, .ranks = ranks, .count = 10 * ranks};
      auto result = interpret(*entry.make.schedule(collective), collective.count, {});
      EXPECT_EQ(result.sent, std::vector<Bytes>(ranks, 40 * (ranks - 1))) << entry.name;
    }
}

TEST(PairwiseAllToAll, SendsEveryPairItsOwnMessage) {
  Collective collective{
      .word = Word::all_to_all, .ranks = 3, .bytes = {7, 1, 20, 300, 7, 4000, 50'000, 600'000, 7}};
  auto result = interpret(*make("pairwise", collective), 654'342, {});
  EXPECT_EQ(result.sent, (std::vector<Bytes>{21, 4300, 650'000}));
  EXPECT_EQ(result.received, (std::vector<Bytes>{50'300, 600'001, 4020}));
}

}  // namespace
}  // namespace traincast
