#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Threshold, SendsEntriesThatReachItAndRemembersTheRest) {
  UnitRun run(R"({"name": "threshold", "threshold": 1.5})", 1, one_tensor({8}));
  auto result = run.step({kGolden});
  EXPECT_THAT(result.average, ElementsAre(0, 0, 2, 0, 0, 1.5f, -3, 0));
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(24));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(0, -2, 2, 0, 0, 1.5f, -3, 0));
}

TEST(Threshold, SendsNothingBelowIt) {
  UnitRun run(R"({"name": "threshold", "threshold": 100})", 2, one_tensor({50}));
  auto result = run.step(random_gradients(2, 50));
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(0, 0));
  EXPECT_EQ(result.average, Vector(50, 0.0f));
}

// Below the least float, which is what any entry but a zero reaches.
TEST(Threshold, NeverSendsZeros) {
  UnitRun run(R"({"name": "threshold", "threshold": 1e-60})", 1, one_tensor({8}));
  EXPECT_THAT(run.step({kGolden}).phases[0].op->bytes, ElementsAre(7 * 8));
}

}  // namespace
}  // namespace traincast
