#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Blocks of two: learner 0 has the first and the third, learner 1 the third.
TEST(OmniReduce, SendsBlocksThatHoldSomethingAndTheirUnionBack) {
  UnitRun run(R"({"name": "omnireduce", "block": 2})", 2, one_tensor({7}));
  auto result = run.step({{1, 0, 0, 0, 2, 0, 0}, {0, 0, 0, 0, 0, 4, 0}});
  const Op& op = *result.phases[0].op;
  EXPECT_EQ(op.word, Word::push_pull);
  EXPECT_THAT(op.bytes, ElementsAre(2 * 12, 12));
  EXPECT_EQ(op.pulled, 2 * 12u);
  EXPECT_EQ(op.value_bytes, 3 * 8u);
  EXPECT_THAT(result.average, ElementsAre(0.5f, 0, 0, 0, 1, 2, 0));
}

TEST(OmniReduce, LosesNothing) {
  auto gradients = random_gradients(3, 1000);
  UnitRun dense(R"({"name": "none"})", 3, one_tensor({1000}));
  UnitRun blocks(R"({"name": "omnireduce"})", 3, one_tensor({1000}));
  auto one = dense.step(gradients), other = blocks.step(gradients);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_NEAR(one.average[i], other.average[i], 1e-6);
  // Three whole blocks of 256 and one of 232 entries, each with its number.
  EXPECT_EQ(other.phases[0].op->bytes[0], 4 * 1000 + 4 * 4u);
}

TEST(OmniReduce, MayChooseTheBlocksOfLargestNorm) {
  UnitRun run(R"({"name": "omnireduce", "block": 2, "density": 0.5})", 1, one_tensor({8}));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(0, 0, 2, -.25f, 0, 0, -3, .125f));
}

}  // namespace
}  // namespace traincast
