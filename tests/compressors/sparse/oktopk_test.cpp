#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// In an exact step: k entries each to their regions' owners, then the k largest sums are applied.
TEST(OkTopK, AppliesTheLargestSums) {
  UnitRun run(R"({"name": "oktopk", "density": 0.25})", 2, one_tensor({8}));
  auto result = run.step({{5, 4, 0, 0, 0, 0, 1, 0}, {0, 4, 0, 0, 0, 0, 0, 6}});
  EXPECT_THAT(result.average, ElementsAre(0, 4, 0, 0, 0, 0, 0, 3));
  EXPECT_THAT(run.memory(0), ElementsAre(5, 0, 0, 0, 0, 0, 1, 0)) << "5 was sent, but is not among the sums";
  EXPECT_THAT(run.memory(1), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
}

// Each entry once to an owner, and each applied sum once from it: less than 6k(N−1)/N words a learner with
// equal regions, on the whole.
TEST(OkTopK, SendsLessThanItsBoundInAnExactStep) {
  for (std::uint32_t learners : {2u, 4u, 8u, 16u}) {
    constexpr std::uint64_t kElements = 4000, kEntries = 40;
    UnitRun run(R"({"name": "oktopk", "density": 0.01})", learners, one_tensor({kElements}));
    auto result = run.step(random_gradients(learners, kElements));
    const Op& to_owners = *result.phases[0].op;
    Bytes sent = 0;
    for (LearnerId from = 0; from < learners; ++from)
      for (LearnerId to = 0; to < learners; ++to)
        if (from != to) sent += to_owners.bytes[from * learners + to];
    EXPECT_LE(sent, learners * 8 * kEntries);
    std::uint64_t applied = 0;
    for (float value : result.average) applied += value != 0;
    EXPECT_GE(applied, kEntries);
    EXPECT_LE(sent + 8 * applied * (learners - 1), 4 * 6 * kEntries * (learners - 1) + 8 * learners);
  }
}

TEST(OkTopK, ReusesThresholdsBetweenExactSteps) {
  UnitRun run(R"({"name": "oktopk", "density": 0.05, "threshold_period": 4})", 4, one_tensor({1000}));
  auto gradients = random_gradients(4, 1000);
  EXPECT_EQ(run.step(gradients).phases[0].work[1].primitive, Primitive::topk);
  for (int step = 1; step < 4; ++step)
    EXPECT_EQ(run.step(gradients).phases[0].work[1].primitive, Primitive::threshold_scan);
  EXPECT_EQ(run.step(gradients).phases[0].work[1].primitive, Primitive::topk);
}

// Ten times the gradient of the exact step: all reach its threshold, which grows by a half each time.
TEST(OkTopK, MovesItsThresholdWhereItLeavesTooMany) {
  auto sent = [](const char* json) {
    UnitRun run(json, 1, one_tensor({1000}), ErrorRule{});
    auto gradients = random_gradients(1, 1000);
    std::vector<Bytes> entries = {run.step(gradients).phases[0].op->bytes[0] / 8};
    for (float& value : gradients[0]) value *= 10;
    for (int step = 0; step < 3; ++step) entries.push_back(run.step(gradients).phases[0].op->bytes[0] / 8);
    return entries;
  };
  const auto moves = sent(R"({"name": "oktopk", "density": 0.05, "adaptation": 0.5})"),
             stays = sent(R"({"name": "oktopk", "density": 0.05, "adaptation": 0})");
  EXPECT_EQ(moves[0], 50u);
  EXPECT_GT(moves[1], 5 * 50u / 4);
  EXPECT_EQ(moves[1], stays[1]);
  EXPECT_GT(moves[1], moves[2]);
  EXPECT_GT(moves[2], moves[3]);
  EXPECT_EQ(stays[3], stays[1]);
}

// A threshold of zero, from a gradient of nothing (or next to it), is none.
TEST(OkTopK, LooksAgainAfterAStepOfZeros) {
  auto gradients = random_gradients(2, 1000);
  for (std::size_t zeros : {1u, 2u}) {  // learners with nothing in the first step
    UnitRun run(R"({"name": "oktopk", "density": 0.05})", 2, one_tensor({1000}), ErrorRule{});
    Vectors first = gradients;
    for (std::size_t n = 0; n < zeros; ++n) first[n].assign(1000, 0.0f);
    run.step(first);
    const auto second = run.step(gradients);
    for (LearnerId n = 0; n < zeros; ++n)
      EXPECT_EQ(second.phases[0].op->bytes[2 * n] + second.phases[0].op->bytes[2 * n + 1], 8 * 50u);
    EXPECT_EQ(second.phases[0].work[0].primitive, Primitive::topk);
    EXPECT_EQ(run.step(gradients).phases[0].work[0].primitive, Primitive::threshold_scan);
  }
}

// Entries in the lower half first, then in the upper one, which with the borders of before is the second
// learner's alone.
TEST(OkTopK, DrawsItsBordersAnewEverySoManySteps) {
  Vector lower(100, 0.0f), upper(100, 0.0f);
  for (std::size_t i = 0; i < 10; ++i) lower[i] = upper[90 + i] = 1;
  auto second = [&](const char* json) {
    UnitRun run(json, 2, one_tensor({100}), ErrorRule{});
    EXPECT_THAT(run.step({lower, lower}).phases[0].op->bytes, ElementsAre(40, 40, 40, 40));
    return run.step({upper, upper}).phases[0].op->bytes;
  };
  EXPECT_THAT(second(R"({"name": "oktopk", "density": 0.1, "region_period": 64})"),
              ElementsAre(0, 80, 0, 80));
  EXPECT_THAT(second(R"({"name": "oktopk", "density": 0.1, "region_period": 1})"),
              ElementsAre(40, 40, 40, 40));
}

}  // namespace
}  // namespace traincast
