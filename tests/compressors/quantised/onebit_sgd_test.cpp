#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(OneBitSgd, SendsTheMeansOfBothHalves) {
  CodecRun whole(R"({"name": "onebit_sgd", "transport": "all_gather", "means": "tensor"})");
  auto message = whole.encode(kGolden);
  ASSERT_EQ(message.size(), 4 + 8u);
  EXPECT_EQ(word_at(message, 0), 0x52000000u);
  EXPECT_NEAR(float_at(message, 4), -1.4166667, 1e-6);
  EXPECT_NEAR(float_at(message, 8), 0.825, 1e-6);
  auto sent = whole.sent(kGolden);
  EXPECT_NEAR(sent[4], 0.825, 1e-6);
  EXPECT_NEAR(sent[6], -1.4166667, 1e-6);
}

// GRACE sends the mask as it is, a byte an element.
TEST(OneBitSgd, SendsABytePerSignAsTheReferenceDoes) {
  CodecRun bytes(
      R"({"name": "onebit_sgd", "transport": "all_gather", "means": "tensor", "coding": "bytes"})");
  CodecRun packed(R"({"name": "onebit_sgd", "transport": "all_gather", "means": "tensor"})");
  EXPECT_EQ(bytes.encode(kGolden).size(), 8 + 8u);
  EXPECT_EQ(bytes.sent(kGolden), packed.sent(kGolden));
}

TEST(OneBitSgd, HasMeansForEachColumn) {
  CodecRun columns(R"({"name": "onebit_sgd", "transport": "all_gather"})", one_tensor({2, 4}));
  auto sent = columns.sent(kGolden);
  EXPECT_NEAR(sent[0], 1.25, 1e-6);      // of 0.5 and 2
  EXPECT_NEAR(sent[1], -0.625, 1e-6);    // of −1 and −0.25
  EXPECT_NEAR(sent[4], 0.541667, 1e-6);  // of 0, 1.5 and 0.125
  EXPECT_NEAR(sent[6], -3, 1e-6);
  EXPECT_EQ(columns.encode(kGolden).size(), 4 + 2 * 8u);
}

TEST(OneBitSgd, ATensorWithoutNegativesDividesByNoZero) {
  CodecRun codec(R"({"name": "onebit_sgd", "transport": "all_gather"})", one_tensor({3}));
  EXPECT_THAT(codec.sent({1, 2, 3}), ElementsAre(2, 2, 2));
}

// Four columns of 100 over two learners: each encodes two stripes of ⌈200 / 32⌉ words and two columns' means.
TEST(OneBitSgd, OwnersOfColumnsCompressAgain) {
  UnitRun run(R"({"name": "onebit_sgd"})", 2, one_tensor({4, 100}));
  auto result = run.step(random_gradients(2, 400));
  const Op &there = *result.phases[0].op, &back = *result.phases[1].op;
  EXPECT_EQ(there.word, Word::all_to_all);
  EXPECT_THAT(there.bytes, ElementsAre(44, 44, 44, 44));
  EXPECT_EQ(back.word, Word::all_gather);
  EXPECT_THAT(back.bytes, ElementsAre(44, 44));
}

// What the owners leave out comes later: over many steps of one gradient the mean applied is the mean
// gradient.
TEST(OneBitSgd, LosesNothingOnEitherWayInTheLongRun) {
  UnitRun run(R"({"name": "onebit_sgd"})", 2, one_tensor({4, 5}));
  auto gradients = random_gradients(2, 20);
  std::vector<double> sum(20);
  constexpr int kSteps = 400;
  for (int step = 0; step < kSteps; ++step) {
    auto average = run.step(gradients).average;
    for (std::size_t i = 0; i < 20; ++i) sum[i] += average[i];
  }
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_NEAR(sum[i] / kSteps, (gradients[0][i] + gradients[1][i]) / 2, 0.05) << i;
}

}  // namespace
}  // namespace traincast
