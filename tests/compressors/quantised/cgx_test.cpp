#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// 2048 elements over four learners: one bucket of 512 each, 4 bits an element and 8 bytes a bucket.
TEST(Cgx, SendsCodesAndARangeForEachBucket) {
  UnitRun run(R"({"name": "cgx"})", 4, one_tensor({2048}));
  auto result = run.step(random_gradients(4, 2048));
  EXPECT_EQ(result.phases[0].op->bytes, std::vector<Bytes>(16, 256 + 8));
  EXPECT_EQ(result.phases[1].op->bytes, std::vector<Bytes>(4, 256 + 8));
}

TEST(Cgx, KeepsTheEndsOfEveryBucket) {
  UnitRun run(R"({"name": "cgx", "bits": 2, "bucket": 4, "least": 0})", 1, one_tensor({8}));
  // −1 … 2 in steps of 1, then −3 … 1.5 in steps of 1.5.
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(1, -1, 2, 0, 0, 1.5f, -3, 0));
}

TEST(Cgx, LeavesSmallTensorsDense) {
  UnitRun run(R"({"name": "cgx"})", 2, one_tensor({1023}));
  auto result = run.step(random_gradients(2, 1023));
  EXPECT_EQ(result.phases.back().op->word, Word::all_reduce);
  EXPECT_EQ(result.phases.back().op->count, 1023u);
}

}  // namespace
}  // namespace traincast
