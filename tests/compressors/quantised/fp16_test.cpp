#include "compressors/quantised/fp16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace traincast {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Fp16, RoundsToNearestWithTiesToEven) {
  EXPECT_EQ(fp16_bits(1.0f), 0x3c00);
  EXPECT_EQ(fp16_bits(1.0f + 0x1p-11f), 0x3c00);  // a tie between 1 and 1 + 2^-10
  EXPECT_EQ(fp16_bits(1.0f + 0x1p-10f + 0x1p-11f), 0x3c02);
  EXPECT_EQ(fp16_bits(-1.0f - 0x1p-11f - 0x1p-20f), 0xbc01);
}

TEST(Fp16, OverflowsToInfinityFromHalfAUnitAboveItsLargest) {
  EXPECT_EQ(round_to_fp16(65504.0f), 65504.0f);
  EXPECT_EQ(round_to_fp16(65519.0f), 65504.0f);
  EXPECT_EQ(round_to_fp16(65520.0f), kInfinity);
  EXPECT_EQ(round_to_fp16(-70000.0f), -kInfinity);
}

TEST(Fp16, HasSubnormals) {
  EXPECT_EQ(fp16_bits(0x1p-24f), 0x0001);
  EXPECT_EQ(fp16_bits(0x1p-25f), 0x0000);  // a tie, to the even zero
  EXPECT_EQ(fp16_bits(1.5f * 0x1p-24f), 0x0002);
  EXPECT_EQ(fp16_bits(0x1.ff8p-15f), 0x03ff);
  EXPECT_EQ(fp16_bits(0x1.ffcp-15f), 0x0400);  // a tie, up into the smallest normal number
}

TEST(Fp16, KeepsNanAndSignedZero) {
  EXPECT_TRUE(std::isnan(round_to_fp16(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(fp16_bits(-0.0f), 0x8000);
}

TEST(Fp16, LeavesEveryHalfAsItIs) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    float value = fp16_value(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(fp16_bits(value), bits);
    }
  }
}

}  // namespace
}  // namespace traincast
