#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

constexpr const char* kMethod = R"({"name": "gtopk", "density": 0.25})";  // one of four

// Pairs (0, 1) and (2, 3) merge, then 0 and 2: 3 at place 0 loses to 2 + 2 at place 1.
TEST(GTopK, KeepsTheLargestOfSumsAtEveryMerge) {
  UnitRun run(kMethod, 4, one_tensor({4}));
  auto result = run.step({{3, 1, 0, 0}, {0, 2, 0, 0}, {0, 4, 1, 0}, {0, 0, 0, 1}});
  // 0: {0: 3} with {1: 2} keeps 3; 2: {1: 4} with {3: 1} keeps 4; then 4 at place 1.
  EXPECT_THAT(result.average, ElementsAre(0, 1, 0, 0));
  // Learner 1 sent 2 at place 1, which was cut off at learner 0: it is in nobody's memory.
  EXPECT_THAT(run.memory(1), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(run.memory(0), ElementsAre(3, 1, 0, 0)) << "place 0 did not survive: it returns";
  EXPECT_THAT(run.memory(2), ElementsAre(0, 0, 1, 0));
}

// Root: log2 N messages of k entries on the way up, each followed by a merge, and as many down.
TEST(GTopK, TravelsUpAndDownATree) {
  UnitRun run(R"({"name": "gtopk", "density": 0.1})", 8, one_tensor({100}));
  auto phases = run.step(random_gradients(8, 100)).phases;
  ASSERT_EQ(phases.size(), 6u) << "three rounds up, the way down, memories, decoding";
  std::vector<std::size_t> messages;
  std::size_t at_root = 0;
  for (std::size_t p = 0; p < 4; ++p) {
    EXPECT_EQ(phases[p].op->word, Word::rounds);
    for (const auto& round : phases[p].op->rounds) {
      messages.push_back(round.size());
      for (const Transfer& transfer : round) {
        EXPECT_EQ(transfer.bytes, 80u);
        at_root += transfer.to == 0 || transfer.from == 0;
      }
    }
  }
  EXPECT_THAT(messages, ElementsAre(4, 2, 1, 1, 2, 4));
  EXPECT_EQ(at_root, 6u);
  EXPECT_EQ(phases[0].op->encoded, 8 * 80u);
  EXPECT_EQ(phases[1].op->encoded, 0u) << "what is passed on was counted when it was sent first";
}

TEST(GTopK, MergesAfterEveryRoundUp) {
  UnitRun run(R"({"name": "gtopk", "density": 0.1})", 8, one_tensor({100}));
  auto phases = run.step(random_gradients(8, 100)).phases;
  Work adding{Primitive::elementwise, {20, 0, 0}}, selecting{Primitive::topk, {20, 10, 0}};
  adding.only = selecting.only = 0;
  for (std::size_t p : {1u, 2u, 3u}) EXPECT_THAT(phases[p].work, ElementsAre(adding, selecting));
}

TEST(GTopK, TakesAnyNumberOfLearners) {
  for (std::uint32_t learners : {1u, 3u, 5u, 7u}) {
    UnitRun run(R"({"name": "gtopk", "density": 1})", learners, one_tensor({6}));
    auto gradients = random_gradients(learners, 6);
    auto average = run.step(gradients).average;
    for (std::size_t i = 0; i < 6; ++i) {
      double sum = 0;
      for (const Vector& gradient : gradients) sum += gradient[i];
      EXPECT_NEAR(average[i], sum / learners, 1e-6);
    }
  }
}

}  // namespace
}  // namespace traincast
