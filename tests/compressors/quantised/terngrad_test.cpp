#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Scale 3, kept where 1.5 < |g|; 2.5 σ is 3.5986, so that nothing is cut.
TEST(TernGrad, KeepsASignWithTheProbabilityOfItsMagnitude) {
  CodecRun codec(R"({"name": "terngrad", "coding": "bytes"})", one_tensor({8}), {0.5});
  auto message = codec.encode(kGolden);
  EXPECT_EQ(float_at(message, 0), 3);
  EXPECT_THAT(codec.sent(kGolden), ElementsAre(0, 0, 3, 0, 0, 0, -3, 0));
  CodecRun all(R"({"name": "terngrad"})", one_tensor({8}), {0});
  EXPECT_THAT(all.sent(kGolden), ElementsAre(3, -3, 3, -3, 0, 3, -3, 3));
}

TEST(TernGrad, HasTheProbabilitiesOfTheGoldenVector) {
  const double probabilities[] = {.166667, .333333, .666667, .083333, 0, .5, 1, .041667};
  std::vector<double> below, above;
  for (double p : probabilities) {
    below.push_back(std::max(0.0, p - 2e-6));
    above.push_back(std::min(p + 2e-6, 1 - 0x1p-24));
  }
  const char* json = R"({"name": "terngrad"})";
  auto sent = CodecRun(json, one_tensor({8}), below).sent(kGolden);
  auto kept = CodecRun(json, one_tensor({8}), above).sent(kGolden);
  EXPECT_THAT(sent, ElementsAre(3, -3, 3, -3, 0, 3, -3, 3));
  EXPECT_THAT(kept, ElementsAre(0, 0, 0, 0, 0, 0, -3, 0)) << "the largest is certain";
}

TEST(TernGrad, CutsAtStandardDeviationsAboutTheMean) {
  CodecRun codec(R"({"name": "terngrad", "clip": 1})", one_tensor({8}), {0.9});
  EXPECT_NEAR(float_at(codec.encode(kGolden), 0), 1.4394517999485081, 1e-6);
  CodecRun far(R"({"name": "terngrad", "clip": 2})", one_tensor({8}));
  EXPECT_NEAR(float_at(far.encode(kGolden), 0), 2 * 3.5986294998712705 / 2.5, 1e-6);
  // What is cut is certain: 2, 1.5 and −3 lie beyond.
  auto sent = codec.sent(kGolden);
  EXPECT_NEAR(sent[2], 1.43945, 1e-5);
  EXPECT_NEAR(sent[5], 1.43945, 1e-5);
  EXPECT_NEAR(sent[6], -1.43945, 1e-5);
  EXPECT_EQ(sent[1], 0);
}

// ⌊d / 4⌋ + 1 bytes and the scale, also where 4 divides d.
TEST(TernGrad, PadsAsTheAuthorsEncoder) {
  for (std::uint64_t numel : {1u, 3u, 4u, 1000u, 1001u}) {
    CodecRun codec(R"({"name": "terngrad"})", one_tensor({static_cast<std::int64_t>(numel)}));
    EXPECT_EQ(codec.encode(Vector(numel, 1)).size(), numel / 4 + 1 + 4);
  }
}

TEST(TernGrad, SumsIntegersAtASharedScale) {
  UnitRun run(R"({"name": "terngrad", "scale": "shared", "clip": 0})", 3, one_tensor({4}));
  auto result = run.step({{4, -4, 0, 4}, {4, 4, 0, -4}, {4, 4, 0, -4}});
  EXPECT_THAT(result.average, ElementsAre(4, 4.0f / 3, 0, -4.0f / 3));
  EXPECT_EQ(result.phases[0].op->count, 1u);
  EXPECT_EQ(result.phases[1].op->element, Element::int8);
}

}  // namespace
}  // namespace traincast
