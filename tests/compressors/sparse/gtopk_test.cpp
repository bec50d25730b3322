#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast::testing {
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

// Root: log2 N messages of k entries on the way up, as many down.
TEST(GTopK, TravelsUpAndDownATree) {
  UnitRun run(R"({"name": "gtopk", "density": 0.1})", 8, one_tensor({100}));
  auto result = run.step(random_gradients(8, 100));
  const Op& op = *result.phases[0].op;
  EXPECT_EQ(op.word, Word::rounds);
  ASSERT_EQ(op.rounds.size(), 6u);
  std::size_t at_root = 0;
  for (const auto& round : op.rounds)
    for (const Transfer& transfer : round) {
      EXPECT_EQ(transfer.bytes, 80u);
      at_root += transfer.to == 0 || transfer.from == 0;
    }
  EXPECT_EQ(at_root, 6u);
  EXPECT_EQ(op.rounds[0].size() + op.rounds[1].size() + op.rounds[2].size(), 7u);
  EXPECT_EQ(op.encoded, 8 * 80u);
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
}  // namespace traincast::testing
