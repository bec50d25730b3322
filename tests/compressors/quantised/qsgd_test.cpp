#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "compressors/bits.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
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

// Each level is rounded up by draws below its fraction, and by no other: levels to 1e-6.
TEST(Qsgd, RoundsUpWithTheProbabilityOfTheFraction) {
  const double l2[] = {.491204, .982409, 1.964818, .245602, 0, 1.473613, 2.947227, .122801};
  const double max[] = {2 / 3.0, 4 / 3.0, 8 / 3.0, 1 / 3.0, 0, 2, 4, 1 / 6.0};
  for (const char* norm : {"l2", "max"}) {
    const auto& levels = norm == std::string("l2") ? l2 : max;
    const double scale = norm == std::string("l2") ? 4.071624368725582 : 3;
    std::vector<double> below, above;
    for (double level : levels) {
      double fraction = level - std::floor(level);
      below.push_back(std::max(0.0, fraction - 1e-6));
      above.push_back(fraction + 1e-6);
    }
    const std::string json =
        R"({"name": "qsgd", "levels": 4, "bucket": 0, "norm": ")" + std::string(norm) + "\"}";
    auto up = CodecRun(json, one_tensor({8}), below).sent(kGolden);
    auto down = CodecRun(json, one_tensor({8}), above).sent(kGolden);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(std::fabs(up[i]), std::ceil(levels[i]) * scale / 4, 1e-6) << norm << " " << i;
      EXPECT_NEAR(std::fabs(down[i]), std::floor(levels[i]) * scale / 4, 1e-6) << norm << " " << i;
    }
  }
}

/// BytePS's generator, xorshift128+ with both words of its state equal to the seed.
std::vector<std::uint64_t> byteps_draws(std::uint64_t seed) {
  std::uint64_t first = seed, second = seed;
  std::vector<std::uint64_t> draws;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t x = first;
    first = second;
    x ^= x << 23;
    second = x ^ (x >> 17) ^ first ^ (first >> 26);
    draws.push_back(second + first);
  }
  return draws;
}

// With these draws its dithering wrote: levels 1, 2, 3, 1, 0, 2, 4, 0 for seed 2020, and 1 at the end for
// seed 1.
TEST(Qsgd, WritesBytePsWordsWithBytePsDraws) {
  const auto seeded = byteps_draws(2020);
  EXPECT_EQ(seeded[0], 16945119460u);
  EXPECT_EQ(seeded[1], 16945119256u);
  EXPECT_EQ(seeded[2], 142144880192146992u);
  EXPECT_EQ(seeded[3], 284289743435189780u);
  for (auto [seed, bits, second_word] : {std::tuple{2020u, 34u, 0u}, {1u, 37u, 0x28000000u}}) {
    std::vector<double> draws;
    for (std::uint64_t draw : byteps_draws(seed)) draws.push_back(static_cast<double>(draw) * 0x1p-64);
    CodecRun codec(R"({"name": "qsgd", "levels": 4, "norm": "max", "bucket": 0, "coding": "elias"})",
                   one_tensor({8}), draws);
    auto message = codec.encode(kGolden);
    ASSERT_EQ(message.size(), 16u);
    EXPECT_EQ(word_at(message, 4), 0xba4bd09bu);
    EXPECT_EQ(word_at(message, 8), second_word);
    EXPECT_EQ(word_at(message, 12), bits);
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
  EXPECT_EQ(bytes(R"("levels": 127, "bucket": 128, "coding": "bytes", "padding": "buckets")", 1000),
            8 * 4 + 1024u);
}

TEST(Qsgd, FillsBucketsOfBytesOnly) {
  CodecRun padded(R"({"name": "qsgd", "bucket": 5, "coding": "bytes", "padding": "buckets"})",
                  one_tensor({8}));
  CodecRun plain(R"({"name": "qsgd", "bucket": 5, "coding": "bytes"})", one_tensor({8}));
  EXPECT_EQ(padded.sent(kGolden), plain.sent(kGolden));
  auto message = padded.encode(kGolden);
  message.back() = std::byte(1);
  EXPECT_THROW(padded.decode(message), InputError);
  EXPECT_THROW(make_compressor(R"({"name": "qsgd", "padding": "buckets"})"), InputError);
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
}  // namespace traincast
