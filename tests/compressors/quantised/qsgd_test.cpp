#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/bits.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast::testing {
namespace {

using ::testing::ElementsAre;

// Levels at s = 4: .4912, .9824, 1.9648, .2456, 0, 1.4736, 2.9472, .1228 of the L2 norm.
TEST(Qsgd, RoundsLevelsUpOrDown) {
  constexpr double kNorm = 4.071624368725582;
  auto sent = [](double draw) {
    return CodecRun(R"({"name": "qsgd", "levels": 4, "bucket": 0})", one_tensor({8}), {draw}).sent(kGolden);
  };
  const int down[] = {0, 0, 1, 0, 0, 1, 2, 0}, up[] = {1, 1, 2, 1, 0, 2, 3, 1};
  auto low = sent(0.9999), high = sent(0);
  for (std::size_t i = 0; i < 8; ++i) {
    double sign = kGolden[i] < 0 ? -1 : 1;
    EXPECT_NEAR(low[i], sign * down[i] * kNorm / 4, 1e-6);
    EXPECT_NEAR(high[i], sign * up[i] * kNorm / 4, 1e-6);
  }
}

// BytePS's dithering with seed 2020 came to levels 1, 2, 3, 1, 0, 2, 4, 0: 34 bits in ba4bd09b 00000000. With
// the largest magnitude: .6667, 1.3333, 2.6667, .3333, 0, 2, 4, .1667.
TEST(Qsgd, WritesBytePsWords) {
  CodecRun codec(R"({"name": "qsgd", "levels": 4, "norm": "max", "bucket": 0, "coding": "elias"})",
                 one_tensor({8}), {0.5, 0.3, 0.5, 0.3, 0.5, 0.5, 0.5, 0.5});
  auto message = codec.encode(kGolden);
  ASSERT_EQ(message.size(), 16u);
  EXPECT_EQ(float_at(message, 0), 3);
  EXPECT_EQ(word_at(message, 4), 0xba4bd09bu);
  EXPECT_EQ(word_at(message, 8), 0u);
  EXPECT_EQ(word_at(message, 12), 34u);
  const Vector expected = {.75f, -1.5f, 2.25f, -.75f, 0, 1.5f, -3, 0};
  EXPECT_EQ(codec.sent(kGolden), expected);
}

TEST(Qsgd, HasTheLengthsOfItsCodings) {
  auto bytes = [](std::string more, std::uint64_t numel) {
    CodecRun codec(R"({"name": "qsgd", )" + more + "}", one_tensor({static_cast<std::int64_t>(numel)}),
                   {0.5});
    return codec.encode(random_gradients(1, numel)[0]).size();
  };
  EXPECT_EQ(bytes(R"("levels": 7, "bucket": 512)", 1000), 2 * 4 + 500u);  // 4 bits
  EXPECT_EQ(bytes(R"("levels": 1, "bucket": 0)", 1000), 4 + 250u);        // 2 bits
  EXPECT_EQ(bytes(R"("levels": 127, "bucket": 128, "coding": "bytes")", 1000), 8 * 4 + 1000u);
  EXPECT_EQ(bytes(R"("levels": 128, "bucket": 0, "coding": "bytes")", 1000), 4 + 2000u);
}

TEST(QsgdMaxNorm, SumsTheNarrowestIntegersThatFit) {
  auto element = [](std::uint32_t learners) {
    UnitRun run(R"({"name": "qsgd_maxnorm", "bits": 6})", learners, one_tensor({10}));
    return run.step(random_gradients(learners, 10)).phases[1].op->element;
  };
  EXPECT_EQ(element(2), Element::int8);  // 2 · 63 = 126
  EXPECT_EQ(element(3), Element::int16);
  EXPECT_THROW(
      make_compressor(R"({"name": "qsgd_maxnorm", "bits": 6, "element": "int8"})")->refuse_learners(3),
      InputError);
  EXPECT_NO_THROW(
      make_compressor(R"({"name": "qsgd_maxnorm", "bits": 6, "element": "int8"})")->refuse_learners(2));
}

TEST(QsgdMaxNorm, IsExactOnItsLevels) {
  UnitRun run(R"({"name": "qsgd_maxnorm", "bits": 2})", 2, one_tensor({4}));
  EXPECT_THAT(run.step({{3, 1, 0, -2}, {-1, 1, 2, -2}}).average, ElementsAre(1, 1, 1, -2));
}

}  // namespace
}  // namespace traincast::testing
