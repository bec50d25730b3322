#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(RandomMask, SendsASeedAndItsValues) {
  UnitRun run(R"({"name": "random_mask", "density": 0.1})", 3, one_tensor({200}));
  auto result = run.step(random_gradients(3, 200));
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(88, 88, 88));  // 8 + 4 · 20
  EXPECT_EQ(result.phases[0].op->value_bytes, 240u);
  EXPECT_GT(result.record.union_by_hop.back(), 40u) << "each learner draws its own mask";
}

TEST(RandomMask, OtherSeedsAreOtherMasks) {
  CodecRun codec(R"({"name": "random_mask", "density": 0.1})", one_tensor({1000}), {0.25, 0.75});
  auto message = codec.encode(Vector(1000, 2));
  auto first = codec.decode(message);
  EXPECT_EQ(first.values, Vector(100, 20));  // 2 · 1000 / 100
  message[0] ^= std::byte(1);
  EXPECT_NE(codec.decode(message).indices, first.indices);
}

}  // namespace
}  // namespace traincast
