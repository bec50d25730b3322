#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/sparse/select.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Ratio 0.5 of the way from the mean 1.046875 to the largest, 3: 2.0234, which one entry reaches; then 0.25:
// 1.535, which two reach.
TEST(MsTopK, BisectsTheThreshold) {
  auto first = bisect_magnitude(kGolden, 2, 1);
  EXPECT_NEAR(first.above, 2.0234375, 1e-6);
  EXPECT_EQ(first.count, 1u);
  auto second = bisect_magnitude(kGolden, 2, 2);
  EXPECT_NEAR(second.above, 1.53515625, 1e-6);
  EXPECT_EQ(second.count, 2u);
  EXPECT_EQ(second.below, 0);
}

TEST(MsTopK, SendsTheSameAsTopKWhereBisectionEnds) {
  auto gradients = random_gradients(3, 500);
  UnitRun exact(R"({"name": "topk", "density": 0.1})", 3, one_tensor({500}));
  UnitRun bisected(R"({"name": "mstopk", "density": 0.1, "iterations": 60})", 3, one_tensor({500}));
  EXPECT_EQ(exact.step(gradients).average, bisected.step(gradients).average);
}

// One bisection leaves room, which a run of the next entries fills, from the place drawn.
TEST(MsTopK, FillsUpWithARunOfTheNextEntries) {
  CodecRun codec(R"({"name": "mstopk", "density": 0.5, "iterations": 1})", one_tensor({8}), {0});
  auto sent = codec.decode(codec.encode(kGolden));
  EXPECT_THAT(sent.indices, ElementsAre(0, 1, 2, 6));
}

}  // namespace
}  // namespace traincast
