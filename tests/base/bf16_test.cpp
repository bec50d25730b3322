#include "base/bf16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace traincast {
namespace {

float from(std::uint32_t bits) { return std::bit_cast<float>(bits); }

TEST(Bf16, RoundsToNearest) {
  EXPECT_EQ(bf16_bits(1.0f), 0x3f80);
  // Seven bits of fraction: 1 + 1/128 is the next value after 1.
  EXPECT_EQ(bf16_bits(1.0f + 1.0f / 128), 0x3f81);
  EXPECT_EQ(bf16_bits(from(0x3f807fff)), 0x3f80);
  EXPECT_EQ(bf16_bits(from(0x3f808001)), 0x3f81);
  EXPECT_EQ(bf16_bits(-1.0f - 1.0f / 128), 0xbf81);
}

TEST(Bf16, RoundsTiesToEven) {
  EXPECT_EQ(bf16_bits(from(0x3f808000)), 0x3f80);
  EXPECT_EQ(bf16_bits(from(0x3f818000)), 0x3f82);
  EXPECT_EQ(bf16_bits(from(0xbf808000)), 0xbf80);
}

TEST(Bf16, OverflowsToInfinity) {
  EXPECT_EQ(round_to_bf16(from(0x7f7f7fff)), from(0x7f7f0000));  // the largest finite one
  EXPECT_EQ(round_to_bf16(from(0x7f7f8000)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(round_to_bf16(std::numeric_limits<float>::max()), std::numeric_limits<float>::infinity());
  EXPECT_EQ(round_to_bf16(-std::numeric_limits<float>::max()), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(round_to_bf16(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
}

TEST(Bf16, KeepsNanAndSignedZero) {
  EXPECT_TRUE(std::isnan(round_to_bf16(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(round_to_bf16(from(0x7f800001))));  // payload only in the half that is cut off
  EXPECT_TRUE(std::isnan(round_to_bf16(from(0xffffffff))));
  EXPECT_EQ(bf16_bits(-0.0f), 0x8000);
}

TEST(Bf16, RoundsSubnormalsLikeOthers) {
  EXPECT_EQ(bf16_bits(from(0x00008000)), 0x0000);  // a tie, to the even zero
  EXPECT_EQ(bf16_bits(from(0x00008001)), 0x0001);
  EXPECT_EQ(bf16_bits(from(0x00018000)), 0x0002);
  EXPECT_EQ(bf16_bits(from(0x007fffff)), 0x0080);  // up into the smallest normal number
}

TEST(Bf16, LeavesEveryBf16ValueAsItIs) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    float value = bf16_value(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(bf16_bits(value), bits);
    }
  }
}

}  // namespace
}  // namespace traincast
