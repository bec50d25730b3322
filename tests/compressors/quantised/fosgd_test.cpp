#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Without sign flips the rotation of (1, 1, 1, 1) is (2, 0, 0, 0); λ is 2. Dithers of ±2: signs as drawn.
TEST(FoSgd, SendsDitheredSignsOfTheRotatedVector) {
  CodecRun codec(R"({"name": "fosgd", "transport": "all_gather"})", one_tensor({4}), {0.5, 0.75, 0.25, 0.75});
  auto message = codec.encode({1, 1, 1, 1});
  ASSERT_EQ(message.size(), 8u);
  EXPECT_EQ(float_at(message, 0), 2);
  EXPECT_EQ(word_at(message, 4), 0x20000000u);  // u + τ = 2, 1, −1, 1
  auto sent = codec.sent({1, 1, 1, 1});         // H (2, 2, −2, 2) / 2
  EXPECT_THAT(sent, ElementsAre(2, -2, 2, 2));
}

TEST(FoSgd, TakesLambdaFromTheNorm) {
  CodecRun codec(R"({"name": "fosgd", "lambda": 2, "transport": "all_gather"})");
  EXPECT_NEAR(float_at(codec.encode(kGolden), 0), 2 * 4.071624368725582 * std::sqrt(std::log(8.0) / 8), 1e-5);
}

TEST(FoSgd, SendsABitAnElementOnBothWays) {
  UnitRun run(R"({"name": "fosgd"})", 3, one_tensor({1000}));
  const Op op = *run.step(random_gradients(3, 1000)).phases[0].op;
  EXPECT_EQ(op.word, Word::push_pull);
  EXPECT_THAT(op.bytes, ElementsAre(132, 132, 132));  // 1024 / 8 + 4
  EXPECT_EQ(op.pulled, 132u);
}

}  // namespace
}  // namespace traincast
