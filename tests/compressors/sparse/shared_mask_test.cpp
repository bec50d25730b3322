#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Two tensors of one shape and one of another, as an update and its moments.
TEST(SharedMask, TakesTheFirstTensorsEntriesOfAllOfItsShape) {
  Bucket bucket{0, {{0, "w", {4}, ""}, {1, "m", {4}, ""}, {2, "b", {2}, ""}}};
  UnitRun run(R"({"name": "shared_mask", "density": 0.5})", 1, bucket);
  auto result = run.step({{1, -5, 4, 2, 10, 20, 30, 40, 7, 8}});
  EXPECT_THAT(result.average, ElementsAre(0, -5, 4, 0, 0, 20, 30, 0, 0, 8));
  // Two indices and 2 · 2 values for the first shape, one of each for the other.
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(4 * (2 + 4) + 4 * (1 + 1)));
  EXPECT_EQ(result.phases[0].op->value_bytes, 4 * 5u);
}

}  // namespace
}  // namespace traincast
