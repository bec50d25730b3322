#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Natural, RoundsToOneOfTwoPowersOfTwo) {
  CodecRun down(R"({"name": "natural", "coding": "bytes"})", one_tensor({8}), {0.9999});
  CodecRun up(R"({"name": "natural", "coding": "bytes"})", one_tensor({8}), {0});
  EXPECT_THAT(bytes_of(down.encode(kGolden)), ElementsAre(108, 237, 110, 235, 0, 109, 238, 106));
  EXPECT_THAT(bytes_of(up.encode(kGolden)), ElementsAre(108, 237, 110, 235, 0, 110, 239, 106));
  EXPECT_THAT(down.sent(kGolden), ElementsAre(.5f, -1, 2, -.25f, 0, 1, -2, .125f));
  EXPECT_THAT(up.sent(kGolden), ElementsAre(.5f, -1, 2, -.25f, 0, 2, -4, .125f));
}

TEST(Natural, TakesNineBitsForAllExponents) {
  CodecRun codec(R"({"name": "natural"})", one_tensor({1000}), {0.5});
  EXPECT_EQ(codec.encode(Vector(1000, 1e30f)).size(), 1125u);
  CodecRun small(R"({"name": "natural"})", one_tensor({3}), {0});
  EXPECT_THAT(small.sent({0x1p-120f, -0x1p100f, 0}), ElementsAre(0x1p-120f, -0x1p100f, 0));
  // A byte's exponents end at 2^−108 and 2^18.
  CodecRun bytes(R"({"name": "natural", "coding": "bytes"})", one_tensor({3}), {0});
  EXPECT_THAT(bytes.sent({0x1p-120f, -0x1p100f, 0}), ElementsAre(0, -0x1p18f, 0));
}

}  // namespace
}  // namespace traincast
