#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast::testing {
namespace {

using ::testing::ElementsAre;

TEST(ArTopK, AllSendTheLeadersEntries) {
  UnitRun run(R"({"name": "artopk", "density": 0.25})", 2, one_tensor({4}));
  Vectors gradients = {{4, 1, 0, 0}, {0, 0, 2, 8}};
  auto first = run.step(gradients);
  EXPECT_THAT(first.average, ElementsAre(2, 0, 0, 0));  // learner 0 leads: its 4, and learner 1's 0
  EXPECT_EQ(first.phases[0].op->word, Word::broadcast);
  EXPECT_THAT(first.phases[0].op->bytes, ElementsAre(4));
  EXPECT_EQ(first.phases[1].op->count, 1u);
  EXPECT_THAT(run.step(gradients).average, ElementsAre(0, 0, 0, 8));  // learner 1: twice 8 / 2
}

TEST(ArTopK, TheLargestVarianceMayLead) {
  UnitRun run(R"({"name": "artopk", "density": 0.25, "leader": "variance"})", 2, one_tensor({4}));
  auto result = run.step({{5, 5, 5, 6}, {0, 0, 9, 0}});
  EXPECT_THAT(result.average, ElementsAre(0, 0, 7, 0));
  EXPECT_EQ(result.phases[0].op->word, Word::all_gather);
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(4, 4));
  EXPECT_EQ(result.phases[1].op->root, 1u);
}

}  // namespace
}  // namespace traincast::testing
