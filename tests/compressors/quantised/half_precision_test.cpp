#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Fp16, OverflowsWhereTheSumIsTakenFirst) {
  Vectors gradients(4, Vector{60000});
  UnitRun before(R"({"name": "fp16"})", 4, one_tensor({1}));
  UnitRun after(R"({"name": "fp16", "divide": "after"})", 4, one_tensor({1}));
  EXPECT_EQ(before.step(gradients).average[0], 60000);
  EXPECT_TRUE(std::isinf(after.step(gradients).average[0]));
  UnitRun one(R"({"name": "fp16"})", 1, one_tensor({1}));
  EXPECT_TRUE(std::isinf(one.step({{70000}}).average[0]));
}

TEST(Fp16, RoundsEveryPartialSum) {
  // 2048 + 1 is 2048 in half precision, 2048 + (1 + 1) would not be.
  UnitRun run(R"({"name": "fp16", "divide": "after"})", 3, one_tensor({1}));
  EXPECT_EQ(run.step({{2048}, {1}, {1}}).average[0], 682.5f);  // 2048 / 3 = 682.67 to half
}

}  // namespace
}  // namespace traincast
