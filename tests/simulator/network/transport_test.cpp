// What a stack adds: to every message by its size, to a rank that works on what it takes, to a collective as
// a whole, and to backward. The same on every engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

constexpr double kGamma = 0.3e-9;  // seconds per byte

Transport with_gamma(HopWork work = HopWork::sum) {
  Transport transport;
  transport.hop_s_per_byte[static_cast<std::size_t>(work)] = kGamma;
  return transport;
}

class Transported : public ::testing::TestWithParam<Engine> {
 protected:
  double seconds(const std::string& algorithm, const Collective& collective,
                 const Transport& transport) const {
    auto times = replay_collective(*make_schedule(algorithm, collective), *plain_star(),
                                   std::vector<double>(collective.ranks, 0.0), GetParam(), transport);
    return *std::max_element(times.finish_s.begin(), times.finish_s.end());
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, Transported,
                         ::testing::Values(Engine::simgrid, Engine::flow, Engine::max_plus),
                         [](const auto& engine) { return std::string(to_string(engine.param)); });

void expect_seconds(double measured, double expected) { EXPECT_NEAR(measured, expected, 1e-9 * expected); }

// Thakur et al. 2005: 2(N−1)(α + βm/N) + (N−1)γm/N.
TEST_P(Transported, ARingAllReduceSumsNMinusOneChunks) {
  for (std::uint32_t n : {2U, 3U, 8U, 13U}) {
    double chunk = 4.0 * 10'000;
    expect_seconds(seconds("ring", {.ranks = n, .count = 10'000ULL * n}, with_gamma()),
                   (n - 1) * (2 * (kAlpha + kBeta * chunk) + kGamma * chunk));
  }
}

// log2 N rounds of the whole buffer: log2 N · (α + βm + γm).
TEST_P(Transported, RecursiveDoublingSumsTheWholeBufferInEveryRound) {
  for (std::uint32_t n : {2U, 4U, 16U}) {
    double size = 4.0 * 10'000;
    expect_seconds(seconds("recursive_doubling", {.ranks = n, .count = 10'000}, with_gamma()),
                   std::log2(n) * (kAlpha + (kBeta + kGamma) * size));
  }
}

// 2 log2 N α + 2(N−1)/N βm + (N−1)/N γm.
TEST_P(Transported, HalvingDoublingSumsTheLeast) {
  for (std::uint32_t n : {2U, 4U, 16U}) {
    double size = 4.0 * 10'000 * n;
    expect_seconds(seconds("halving_doubling", {.ranks = n, .count = 10'000ULL * n}, with_gamma()),
                   2 * std::log2(n) * kAlpha + (n - 1.0) / n * size * (2 * kBeta + kGamma));
  }
}

// A rank that ends with a sum ends when it has added its last message.
TEST_P(Transported, AReduceScatterEndsWithAnAddition) {
  double chunk = 4.0 * 10'000;
  expect_seconds(seconds("ring", {.word = Word::reduce_scatter, .ranks = 5, .count = 50'000}, with_gamma()),
                 4 * (kAlpha + (kBeta + kGamma) * chunk));
}

TEST_P(Transported, AGatherHasNothingToSum) {
  expect_seconds(
      seconds("ring", {.word = Word::all_gather, .ranks = 5, .bytes = {7000, 100, 0, 3, 900}}, with_gamma()),
      4 * (kAlpha + kBeta * 7000));
}

// Two ranks: each sends its three entries, and unites them with the other's two, or five.
TEST_P(Transported, ASparseSumMergesWhatItTakes) {
  Supports supports{{1, 2, 3}, {3, 4, 5}};
  Collective sum{.word = Word::sparse_all_reduce,
                 .ranks = 2,
                 .count = 1000,
                 .supports = std::make_shared<const Supports>(supports)};
  expect_seconds(seconds("recursive_doubling", sum, with_gamma(HopWork::merge)),
                 kAlpha + (kBeta + kGamma) * 3 * 8);
  expect_seconds(seconds("recursive_doubling", sum, with_gamma(HopWork::sum)), kAlpha + kBeta * 3 * 8);
}

// Of 10 elements each rank holds 6: 48 bytes of entries, but 40 dense.
TEST_P(Transported, ASparseSumThatGoesDenseIsAddedAndNotMerged) {
  Supports supports{{0, 1, 2, 3, 4, 5}, {4, 5, 6, 7, 8, 9}};
  Collective sum{.word = Word::sparse_all_reduce,
                 .ranks = 2,
                 .count = 10,
                 .supports = std::make_shared<const Supports>(supports)};
  expect_seconds(seconds("recursive_doubling", sum, with_gamma(HopWork::sum)),
                 kAlpha + (kBeta + kGamma) * 40);
  expect_seconds(seconds("recursive_doubling", sum, with_gamma(HopWork::merge)), kAlpha + kBeta * 40);
}

// Chunks of 100 elements, of which the ranks that they pass hold 10, 60 and 80, each more of the same: 80
// bytes of entries are merged, the next message is dense and added, and the sum goes dense to both others.
TEST_P(Transported, ASparseRingMergesUntilItsMessagesGoDense) {
  constexpr Index kHeld[] = {1, 6, 8};  // of ten
  Supports supports(3);
  for (Index place = 0; place < 300; ++place)
    for (Rank rank = 0; rank < 3; ++rank)
      if (place % 10 < kHeld[(rank + 3 - place / 100) % 3]) supports[rank].push_back(place);
  Collective sum{.word = Word::sparse_all_reduce,
                 .ranks = 3,
                 .count = 300,
                 .supports = std::make_shared<const Supports>(supports)};
  Transport both = with_gamma(HopWork::sum);
  both.hop_s_per_byte[static_cast<std::size_t>(HopWork::merge)] = 5 * kGamma;
  double expected = 4 * kAlpha + kBeta * (80 + 3 * 400) + 5 * kGamma * 80 + kGamma * 400;
  expect_seconds(seconds("ring", sum, both), expected);
  EXPECT_NEAR(choose_algorithm("ring", sum, {})
                  .make.estimate(sum, {.latency = kAlpha, .bandwidth = 1 / kBeta, .transport = both}),
              expected, 1e-9 * expected);
}

// Messages of a chunk: 400 bytes by the first protocol, 40,000 by the second.
TEST_P(Transported, AMessageTravelsByTheProtocolOfItsSize) {
  Transport transport;
  transport.protocols = {{1000, 1e-6, 0.25}, {UINT64_MAX, 5e-6, 0.8}};
  expect_seconds(seconds("ring", {.ranks = 4, .count = 400}, transport),
                 6 * (kAlpha + 1e-6 + kBeta * 400 / 0.25));
  expect_seconds(seconds("ring", {.ranks = 4, .count = 40'000}, transport),
                 6 * (kAlpha + 5e-6 + kBeta * 40'000 / 0.8));
}

TEST_P(Transported, AnEmptyMessageTakesTheLatencies) {
  Transport transport;
  transport.protocols = {{UINT64_MAX, 3e-6, 0.5}};
  expect_seconds(seconds("ring", {.ranks = 3, .count = 0}, transport), 4 * (kAlpha + 3e-6));
}

TEST_P(Transported, WhatAProtocolAddsIsNotCounted) {
  Transport transport;
  transport.protocols = {{UINT64_MAX, 0, 0.5}};
  Collective sum{.ranks = 4, .count = 4000};
  auto times =
      replay_collective(*make_schedule("ring", sum), *plain_star(), {0, 0, 0, 0}, GetParam(), transport);
  EXPECT_EQ(times.timeline.sent_bytes, std::vector<Bytes>(4, 6 * 4000));
}

// ---- steps: of 2 learners, forward 1 ms, backward 3 ms; an all-reduce of 4 MB takes 4.04 ms

constexpr double kMillisecond = 1e-3;

PhaseProgram sum_of(std::uint64_t megabytes) {
  PhaseProgram phase;
  phase.schedule = make_schedule("ring", Collective{.ranks = 2, .count = megabytes * 250'000});
  phase.fusion_kind = 1;
  phase.fusion_bytes = megabytes * 1'000'000;
  return phase;
}

StepProgram two_buckets(double first_ready_s, PhaseProgram first, PhaseProgram second) {
  StepProgram program;
  program.learners = 2;
  program.forward_s = 1 * kMillisecond;
  program.backward_s = 3 * kMillisecond;
  program.buckets = {{first_ready_s, {std::move(first)}}, {3 * kMillisecond, {std::move(second)}}};
  return program;
}

double all_reduce_s(double megabytes) { return 2 * kAlpha + kBeta * megabytes * 1e6; }

class SteppedStack : public ::testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Engines, SteppedStack,
                         ::testing::Values(Engine::simgrid, Engine::flow, Engine::max_plus),
                         [](const auto& engine) { return std::string(to_string(engine.param)); });

void expect_step_adds_up(const Timeline& t) {
  EXPECT_NEAR(t.compute_s + t.exposed_encode_s + t.exposed_communication_s + t.exposed_decode_s + t.wait_s +
                  t.slowdown_s,
              t.step_s, 1e-12 * t.step_s);
}

TEST_P(SteppedStack, LaunchAndLandingComeBeforeAndAfterACollective) {
  PhaseProgram phase = sum_of(4);
  phase.launch_s = 0.5 * kMillisecond;
  phase.landing_s = 0.25 * kMillisecond;
  auto t = replay_step(two_buckets(3 * kMillisecond, phase, {}), *plain_star(), GetParam());
  expect_seconds(t.step_s, 4 * kMillisecond + 0.75 * kMillisecond + all_reduce_s(4));
  expect_seconds(t.exposed_communication_s, 0.75 * kMillisecond + all_reduce_s(4));
  expect_step_adds_up(t);
}

// Ready after 4 ms; the next cycle begins at 4.5 ms.
TEST_P(SteppedStack, ACollectiveWaitsForTheNextCycle) {
  StepProgram program = two_buckets(3 * kMillisecond, sum_of(4), {});
  program.negotiation.cycle_s = 1.5 * kMillisecond;
  auto t = replay_step(program, *plain_star(), GetParam());
  expect_seconds(t.step_s, 4.5 * kMillisecond + all_reduce_s(4));
  expect_step_adds_up(t);
}

// Both are ready after 4 ms: as one collective they take its latency once.
TEST_P(SteppedStack, CollectivesOfOneCycleBecomeOneUpToTheLimit) {
  StepProgram program = two_buckets(3 * kMillisecond, sum_of(4), sum_of(2));
  program.negotiation.fuse = [](std::span<const PhaseId> phases) {
    EXPECT_EQ(phases.size(), 2u);
    return sum_of(6);
  };
  program.negotiation.fusion = 6'000'000;
  expect_seconds(replay_step(program, *plain_star(), GetParam()).step_s, 4 * kMillisecond + all_reduce_s(6));
  program.negotiation.fusion = 5'999'999;
  expect_seconds(replay_step(program, *plain_star(), GetParam()).step_s,
                 4 * kMillisecond + all_reduce_s(4) + all_reduce_s(2));
}

// The first bucket is ready after 1 ms of backward; its all-reduce of 1 MB takes 1.04 ms, in which backward
// does half of that. Of the 2 ms that are left, 0.52 are done then.
TEST_P(SteppedStack, BackwardIsSlowerWhileACollectiveIsInFlight) {
  StepProgram program = two_buckets(1 * kMillisecond, sum_of(1), {});
  program.slowdown = 0.5;
  auto t = replay_step(program, *plain_star(), GetParam());
  expect_seconds(t.slowdown_s, all_reduce_s(1) / 2);
  expect_seconds(t.compute_s, 4 * kMillisecond);
  expect_seconds(t.step_s, 4 * kMillisecond + all_reduce_s(1) / 2);
  expect_step_adds_up(t);
}

// Longer than the backward that is left: that takes twice its 2 ms, and what is not hidden is exposed.
TEST_P(SteppedStack, BackwardUnderALongCollectiveIsSlowToItsEnd) {
  StepProgram program = two_buckets(1 * kMillisecond, sum_of(8), {});
  program.slowdown = 0.5;
  auto t = replay_step(program, *plain_star(), GetParam());
  expect_seconds(t.slowdown_s, 2 * kMillisecond);
  expect_seconds(t.step_s, 2 * kMillisecond + all_reduce_s(8));
  expect_seconds(t.exposed_communication_s, all_reduce_s(8) - 4 * kMillisecond);
  expect_step_adds_up(t);
}

}  // namespace
}  // namespace traincast
