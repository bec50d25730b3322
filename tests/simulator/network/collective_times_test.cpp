// Every collective on a star takes the time of its closed form; alpha is the latency of a path of two links.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"
#include "tests/support/sanitized.hpp"

namespace traincast {
namespace {

CollectiveTimes replay(const std::string& algorithm, const Collective& collective, const Topology& topology) {
  return replay_collective(*make_schedule(algorithm, collective), topology,
                           std::vector<double>(collective.ranks, 0.0));
}

double seconds(const std::string& algorithm, const Collective& collective) {
  auto times = replay(algorithm, collective, *plain_star());
  return *std::max_element(times.finish_s.begin(), times.finish_s.end());
}

void expect_seconds(double measured, double expected, std::uint32_t ranks) {
  EXPECT_NEAR(measured, expected, 1e-9 * expected) << ranks << " ranks";
}

double rounds(std::uint32_t ranks) { return std::ceil(std::log2(ranks)); }

// 2(N−1) rounds of one chunk of m/N.
TEST(RingAllReduce, TakesTwiceNMinusOneRoundsOfAChunk) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    double size = 4.0 * 10'000 * n;
    expect_seconds(seconds("ring", {.ranks = n, .count = 10'000ULL * n}),
                   2.0 * (n - 1) * (kAlpha + kBeta * size / n), n);
  }
}

// Where N does not divide the elements, the chunks of ⌈n/N⌉ elements set the pace: one of them is under way
// in every round.
TEST(RingAllReduce, IsPacedByItsLargestChunk) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    std::uint64_t count = 10'007;
    auto largest = static_cast<double>((count + n - 1) / n);
    expect_seconds(seconds("ring", {.ranks = n, .element_bytes = 2, .count = count}),
                   2.0 * (n - 1) * (kAlpha + kBeta * 2 * largest), n);
  }
}

TEST(RingAllReduce, OfFewerElementsThanRanksStillTakesEveryRound) {
  expect_seconds(seconds("ring", {.ranks = 9, .count = 1}), 2.0 * 8 * (kAlpha + kBeta * 4), 9);
  expect_seconds(seconds("ring", {.ranks = 9, .count = 0}), 2.0 * 8 * kAlpha, 9);
}

// Among the P = 2^k ranks that play, log2 P rounds each way; the round at distance d moves m·d/P, and the
// distances add up to P−1. The others' fold takes half, half and all of the buffer.
TEST(HalvingDoublingAllReduce, TakesTwoLogNRoundsAndTheLeastBytes) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    double size = 4.0 * 16 * 1000, players = std::bit_floor(n);
    double fold = n > players ? 3 * kAlpha + 2 * kBeta * size : 0;
    expect_seconds(seconds("halving_doubling", {.ranks = n, .count = 16 * 1000}),
                   fold + 2 * std::log2(players) * kAlpha + 2 * (players - 1) / players * kBeta * size, n);
  }
}

// The whole buffer in each of log2 P rounds, and before and after them where others sit out.
TEST(RecursiveDoublingAllReduce, TakesLogNRoundsOfEverything) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    double players = std::bit_floor(n);
    double rounds = std::log2(players) + (n > players ? 2 : 0);
    expect_seconds(seconds("recursive_doubling", {.ranks = n, .count = 10'007}),
                   rounds * (kAlpha + kBeta * 4 * 10'007), n);
  }
}

// Each way a chunk of m/2N in every round, and both leave by the same port of the star: as long as one ring.
TEST(BidirectionalRingAllReduce, TakesAsLongAsOneRingOnAStar) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    expect_seconds(seconds("bidirectional_ring", {.ranks = n, .count = 2000ULL * n}),
                   2.0 * (n - 1) * (kAlpha + kBeta * 4 * 2000), n);
}

// Groups of g: 2(g−1) rounds of m/g, and 2(N/g−1) rounds of m/N between them.
TEST(HierarchicalAllReduce, TakesTheRoundsOfBothLevels) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    for (std::uint32_t g = 2; g <= n; ++g) {
      if (n % g != 0) continue;
      double chunk = 4 * 1000;
      expect_seconds(
          seconds("hierarchical", {.ranks = n, .count = 1000ULL * n, .group = g}),
          2.0 * (g - 1) * (kAlpha + kBeta * chunk * n / g) + 2.0 * (n / g - 1) * (kAlpha + kBeta * chunk), n);
    }
}

TEST(Torus2dAllReduce, TakesTheRoundsOfRowsAndColumns) {
  for (auto [a, b] : {std::pair{2U, 2U}, {2U, 3U}, {2U, 7U}, {3U, 3U}, {3U, 4U}, {3U, 5U}, {4U, 4U}}) {
    double chunk = 4 * 1000;
    expect_seconds(seconds("torus_2d", {.ranks = a * b, .count = 1000ULL * a * b}),
                   2.0 * (a - 1) * (kAlpha + kBeta * chunk * b) + 2.0 * (b - 1) * (kAlpha + kBeta * chunk),
                   a * b);
  }
}

// Up the tree and down again, the whole buffer in each of ⌈log2 N⌉ rounds.
TEST(BinomialTreeAllReduce, TakesTwoLogNRoundsOfEverything) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    expect_seconds(seconds("binomial_tree", {.ranks = n, .count = 10'007}),
                   2 * rounds(n) * (kAlpha + kBeta * 4 * 10'007), n);
}

// Every message is under way in every one of N−1 rounds, so that the largest sets the pace of all.
TEST(RingAllGather, IsPacedByItsLargestMessage) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    Collective collective{.word = Word::all_gather, .ranks = n};
    for (Rank rank = 0; rank < n; ++rank) collective.bytes.push_back(1000 + 7919 * rank % 5003);
    Bytes largest = *std::max_element(collective.bytes.begin(), collective.bytes.end());
    expect_seconds(seconds("ring", collective), (n - 1.0) * (kAlpha + kBeta * static_cast<double>(largest)),
                   n);
  }
}

// The round at distance d moves d messages; d = 1, 2 … N/2 add up to N−1.
TEST(RecursiveDoublingAllGather, TakesLogNRounds) {
  for (std::uint32_t n : {2U, 4U, 8U, 16U})
    expect_seconds(seconds("recursive_doubling",
                           {.word = Word::all_gather, .ranks = n, .bytes = std::vector<Bytes>(n, 12'345)}),
                   rounds(n) * kAlpha + (n - 1.0) * kBeta * 12'345, n);
}

TEST(BinomialBroadcast, TakesLogNRoundsFromAnyRoot) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    for (Rank root : {Rank{0}, n / 2, n - 1})
      expect_seconds(
          seconds("binomial_tree", {.word = Word::broadcast, .ranks = n, .bytes = {54'321}, .root = root}),
          rounds(n) * (kAlpha + kBeta * 54'321), n);
}

// The round at distance d moves d messages, the last one those that are missing: N−1 in all.
TEST(BruckAllGather, TakesLogNRoundsForAnyN) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    expect_seconds(
        seconds("bruck", {.word = Word::all_gather, .ranks = n, .bytes = std::vector<Bytes>(n, 12'345)}),
        rounds(n) * kAlpha + (n - 1.0) * kBeta * 12'345, n);
}

TEST(PaddedAllGather, TakesAsLongAsTheRing) {
  Collective collective{.word = Word::all_gather, .ranks = 5, .bytes = {1, 20'000, 300, 4000, 5}};
  expect_seconds(seconds("padded", collective), 4 * (kAlpha + kBeta * 20'000), 5);
}

// Nodes of g: g−1 rounds within a node, N/g−1 of a g-th of a node's g messages, and g−1 for each of these.
TEST(HierarchicalAllGather, TakesNMinusOneRoundsOfAMessage) {
  for (std::uint32_t n = 2; n <= 16; ++n)
    for (std::uint32_t g = 2; g <= n; ++g)
      if (n % g == 0)
        expect_seconds(
            seconds(
                "hierarchical",
                {.word = Word::all_gather, .ranks = n, .bytes = std::vector<Bytes>(n, 12'345), .group = g}),
            (n - 1.0) * (kAlpha + kBeta * 12'345), n);
}

// The last of N−1 ranks has the last of S segments after N−2+S rounds; √((N−2)·m / 64 KiB) is 2(N−2) here.
TEST(PipelinedRingBroadcast, TakesARoundForEveryRankAndSegment) {
  for (std::uint32_t n = 3; n <= 17; ++n) {
    double segments = 2.0 * (n - 2), m = 4 * 65536.0 * (n - 2);
    expect_seconds(
        seconds("pipelined_ring",
                {.word = Word::broadcast, .ranks = n, .bytes = {static_cast<Bytes>(m)}, .root = n / 2}),
        (n - 2 + segments) * (kAlpha + kBeta * m / segments), n);
  }
}

TEST(ReduceScatter, TakesHalfOfTheAllReduce) {
  for (std::uint32_t n = 2; n <= 17; ++n) {
    Collective collective{.word = Word::reduce_scatter, .ranks = n, .count = 1000ULL * n};
    expect_seconds(seconds("ring", collective), (n - 1) * (kAlpha + kBeta * 4000), n);
    if (std::has_single_bit(n))
      expect_seconds(seconds("recursive_halving", collective), rounds(n) * kAlpha + (n - 1) * kBeta * 4000,
                     n);
  }
}

TEST(PairwiseAllToAll, TakesARoundForEveryPartner) {
  for (std::uint32_t n = 2; n <= 17; ++n)
    expect_seconds(
        seconds("pairwise", {.word = Word::all_to_all, .ranks = n, .bytes = std::vector<Bytes>(n * n, 999)}),
        (n - 1) * (kAlpha + kBeta * 999), n);
}

// Segments of two trees meet at the ports of a star in ways that no closed form follows.
bool is_exact(std::string_view name) { return name != "double_binary_tree"; }

// With γ for sums, and messages of up to 1000 bytes by another protocol than longer ones.
Transport some_transport() {
  Transport transport;
  transport.hop_s_per_byte[static_cast<std::size_t>(HopWork::sum)] = 0.3e-9;
  transport.protocols = {{1000, 1e-6, 0.25}, {UINT64_MAX, 5e-6, 0.5}};
  return transport;
}

class EstimateOn : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Transports, EstimateOn, ::testing::Values(false, true),
                         [](const auto& stacked) { return stacked.param ? "AStack" : "ThePlainNetwork"; });

// The estimates that choose algorithms are these closed forms.
TEST_P(EstimateOn, AStarIsTheReplayedTime) {
  NetworkEstimate star{.latency = kAlpha, .bandwidth = 1 / kBeta, .sharing = 1};
  if (GetParam()) star.transport = some_transport();
  std::vector<Collective> collectives;
  for (std::uint32_t n : {2U, 8U, 16U}) {
    collectives.push_back({.ranks = n, .count = 4096});
    collectives.push_back({.word = Word::all_gather, .ranks = n, .bytes = std::vector<Bytes>(n, 1000)});
    collectives.push_back({.word = Word::broadcast, .ranks = n, .bytes = {16 * 49}, .root = 1});
    collectives.push_back({.word = Word::reduce_scatter, .ranks = n, .count = 4096});
    collectives.push_back({.word = Word::all_to_all, .ranks = n, .bytes = std::vector<Bytes>(n * n, 55)});
    collectives.push_back({.word = Word::all_to_all, .ranks = n, .bytes = {55}});
    collectives.push_back(
        {.word = Word::push_pull, .ranks = n, .bytes = std::vector<Bytes>(n, 1600), .pulled = 800});
    for (std::uint64_t step : {0, 2})
      collectives.push_back(
          {.word = Word::neighbours, .ranks = n, .bytes = std::vector<Bytes>(n, 999), .step = step});
  }
  for (Collective& collective : collectives) {
    collective.group = 2;
    for (const auto& entry : collective_catalog(collective.word).entries()) {
      SCOPED_TRACE(entry.name);
      if (!entry.make.refuses(collective).empty() || !is_exact(entry.name)) continue;
      auto times =
          replay_collective(*entry.make.schedule(collective), *plain_star(),
                            std::vector<double>(collective.ranks, 0.0), Engine::simgrid, star.transport);
      expect_seconds(*std::max_element(times.finish_s.begin(), times.finish_s.end()),
                     entry.make.estimate(collective, star), collective.ranks);
    }
  }
}

// By the recursion, which takes no time to speak of; several channels share their ports, which it refuses.
TEST_P(EstimateOn, AStarOfManyRanksIsTheReplayedTime) {
  NetworkEstimate star{.latency = kAlpha, .bandwidth = 1 / kBeta, .sharing = 1};
  if (GetParam()) star.transport = some_transport();
  for (std::uint32_t n : {8U, 64U, kSanitized ? 128U : 1024U})
    for (Word word : {Word::all_reduce, Word::all_gather, Word::broadcast, Word::reduce_scatter}) {
      Collective collective{.word = word, .ranks = n, .count = 4096, .group = 2};
      if (word == Word::all_gather) collective.bytes.assign(n, 1000);
      if (word == Word::broadcast) collective.bytes = {4 * n};
      for (const auto& entry : collective_catalog(word).entries()) {
        if (!entry.make.refuses(collective).empty()) continue;
        auto schedule = entry.make.schedule(collective);
        if (schedule->channels() > 1) continue;
        SCOPED_TRACE(std::string(to_string(word)) + ' ' + std::string(entry.name));
        auto times = replay_collective_here(*schedule, *plain_star()->build(n), std::vector<double>(n, 0.0),
                                            Engine::max_plus, star.transport);
        expect_seconds(*std::max_element(times.finish_s.begin(), times.finish_s.end()),
                       entry.make.estimate(collective, star), n);
      }
    }
}

TEST(Estimate, OfTwoTreesIsNearTheReplayedTime) {
  NetworkEstimate star{.latency = kAlpha, .bandwidth = 1 / kBeta, .sharing = 1};
  for (std::uint32_t n : {2U, 3U, 4U, 5U, 7U, 8U, 13U, 16U, 64U})
    for (std::uint64_t count : {100U, 100'000U, 1'000'000U}) {
      Collective collective{.ranks = n, .count = count};
      const auto& entry = choose_algorithm("double_binary_tree", collective, star);
      double ratio = seconds("double_binary_tree", collective) / entry.make.estimate(collective, star);
      EXPECT_GT(ratio, 0.75) << n << " ranks, " << count;
      EXPECT_LT(ratio, 1.3) << n << " ranks, " << count;
    }
}

// With g GPUs behind one NIC, the rounds between nodes carry g flows at once, which a ring's do not.
TEST(Estimate, CountsTheFlowsBehindOneNic) {
  auto nodes =
      make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "10us",
                                 "intra_bandwidth": "1GBps", "intra_latency": "10us"})");
  Collective collective{.ranks = 16, .count = 1 << 16, .group = 4};
  NetworkEstimate network{nodes->longest_latency(16), nodes->narrowest_bandwidth(16), nodes->sharing(16)};
  EXPECT_EQ(network.sharing, 4U);
  for (const auto& entry : collective_catalog(Word::all_reduce).entries()) {
    if (!is_exact(entry.name)) continue;
    SCOPED_TRACE(entry.name);
    auto times = replay(std::string(entry.name), collective, *nodes);
    expect_seconds(*std::max_element(times.finish_s.begin(), times.finish_s.end()),
                   entry.make.estimate(collective, network), 16);
  }
}

// Within nodes of 4, 2·3 rounds of m/4 at 10 GB/s; between four nodes 2·3 rounds of m/16, four at once.
TEST(Estimate, KnowsTheLinksWithinNodes) {
  auto nodes =
      make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "10us",
                                 "intra_bandwidth": "10GBps", "intra_latency": "1us"})");
  Collective collective{.ranks = 16, .count = 1 << 20, .group = 4};
  NetworkEstimate network{.latency = 20e-6, .bandwidth = 1e9, .sharing = 4, .node{{2e-6, 10e9}}};
  double m = 4.0 * (1 << 20);
  auto times = replay("hierarchical", collective, *nodes);
  double measured = *std::max_element(times.finish_s.begin(), times.finish_s.end());
  expect_seconds(measured, 6 * (2e-6 + m / 4 / 10e9) + 6 * (20e-6 + 4 * m / 16 / 1e9), 16);
  const auto& entry = choose_algorithm("auto", collective, network);
  EXPECT_EQ(entry.name, "hierarchical");
  expect_seconds(measured, entry.make.estimate(collective, network), 16);
}

// A port sends and receives at most 1/beta; all together send 2(N−1)m, and a rank learns of all in log2 N
// transfers at the earliest.
TEST(AllReduce, IsNeverFasterThanTheLowerBound) {
  for (const auto& entry : collective_catalog(Word::all_reduce).entries())
    for (std::uint32_t n : {2U, 5U, 8U, 12U, 17U})
      for (std::uint64_t count : {1U, 1000U, 250'000U}) {
        Collective collective{.ranks = n, .count = count, .group = n};
        if (!entry.make.refuses(collective).empty()) continue;
        double measured = seconds(std::string(entry.name), collective), m = 4.0 * static_cast<double>(count);
        EXPECT_GE(measured, std::max(2.0 * (n - 1) / n * kBeta * m, rounds(n) * kAlpha) * (1 - 1e-9))
            << entry.name << " of " << n;
      }
}

TEST(Bytes, ThatAreSentAreReceivedAndCrossTwoLinks) {
  auto times = replay("ring", {.ranks = 5, .count = 1003}, *plain_star());
  Bytes sent = 0, received = 0;
  for (Bytes b : times.timeline.sent_bytes) sent += b;
  for (Bytes b : times.timeline.received_bytes) received += b;
  EXPECT_EQ(sent, 2 * 4 * 4012U);
  EXPECT_EQ(received, sent);
  EXPECT_EQ(times.timeline.tier_bytes, (std::vector<std::pair<std::string, Bytes>>{{"network", 2 * sent}}));
  EXPECT_EQ(times.timeline.transfers, 2 * 5 * 4U);
}

TEST(Replay, OfARingOf64RanksIsQuick) {
  Collective collective{.ranks = 64, .count = 25'000'000};
  auto begin = std::chrono::steady_clock::now();
  double measured = seconds("ring", collective);
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  expect_seconds(measured, 126 * (kAlpha + kBeta * 4 * 390'625), 64);
  RecordProperty("wall_seconds", std::to_string(wall));
}

}  // namespace
}  // namespace traincast
