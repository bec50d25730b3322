#include "base/fp16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/bf16.hpp"

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

TEST(Fp16, IsWidenedExactly) {
  EXPECT_EQ(fp16_value(0x7bff), 65504.0f);
  EXPECT_EQ(fp16_value(0xc000), -2.0f);
  EXPECT_EQ(fp16_value(0x0400), 0x1p-14f);
  EXPECT_EQ(fp16_value(0x03ff), 1023 * 0x1p-24f);
  EXPECT_EQ(fp16_value(0x3555), 0.333251953125f);
  EXPECT_TRUE(std::signbit(fp16_value(0x8000)));
  EXPECT_TRUE(std::isinf(fp16_value(0x7c00)));
  EXPECT_TRUE(std::isnan(fp16_value(0x7e00)));
}

// Every number of a format stands for itself, and between two neighbours the nearer one is taken, the even
// one half-way.
template <class Widen, class Round>
void expect_nearest(std::uint16_t infinity, Widen widen, Round round) {
  for (std::uint16_t bits = 0; bits < infinity; ++bits) {
    const float value = widen(bits);
    ASSERT_EQ(round(value), bits);
    ASSERT_EQ(round(-value), bits | 0x8000);
    if (bits + 1 == infinity) break;
    const float next = widen(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((double{value} + next) / 2);
    ASSERT_EQ(round(middle), bits + (bits & 1)) << bits;
    ASSERT_EQ(round(std::nextafter(middle, 0.f)), bits);
    ASSERT_EQ(round(std::nextafter(middle, INFINITY)), bits + 1);
  }
}

TEST(Half, IsTheNearestOfEitherFormat) {
  expect_nearest(0x7c00, fp16_value, fp16_bits);
  expect_nearest(0x7f80, bf16_value, bf16_bits);
  EXPECT_EQ(fp16_bits(65519.996f), 0x7bff);
  EXPECT_EQ(fp16_bits(65520), 0x7c00);
  EXPECT_EQ(fp16_bits(0x1p-25f), 0);
  EXPECT_EQ(bf16_bits(3.4e38f), 0x7f80) << "beyond the largest, which is 3.39e38";
}

}  // namespace
}  // namespace traincast
