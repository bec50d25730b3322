#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/sparse/wangni.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Wangni, FindsTheProbabilitiesOfTheGreedyAlgorithm) {
  auto quarter = keep_probabilities(kGolden, 0.25, 2), half = keep_probabilities(kGolden, 0.5, 2);
  const double of_quarter[] = {.119403, .238806, .477612, .059701, 0, .358209, .716418, .029851};
  const double of_half[] = {.296296, .592593, 1, .148148, 0, .888889, 1, .074074};
  double sum = 0, sum_of_quarter = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(quarter.of(kGolden[i]), of_quarter[i], 1e-6);
    EXPECT_NEAR(half.of(kGolden[i]), of_half[i], 1e-6);
    sum += half.of(kGolden[i]);
    sum_of_quarter += quarter.of(kGolden[i]);
  }
  EXPECT_NEAR(sum, 4, 1e-9);
  EXPECT_NEAR(sum_of_quarter, 2, 1e-9) << "nothing is certain, so that the first factor is 1 and the last";
  // Of one half the factors are 1.1686047 and 1.0617284.
  const double before = 0.5 * 8 * 0.5 / 8.375, first = keep_probabilities(kGolden, 0.5, 1).of(0.5f);
  EXPECT_NEAR(first / before, 1.1686047, 1e-6);
  EXPECT_NEAR(half.of(0.5f) / first, 1.0617284, 1e-6);
  EXPECT_EQ(keep_probabilities(Vector(5), 0.5, 2).of(0), 0);
}

// With draws of 0.5: places 2 and 6 are certain, 1 and 5 are drawn, at the magnitude |g| / p that all drawn
// ones share, 1.6875.
TEST(Wangni, SendsDrawnEntriesAtOneMagnitude) {
  CodecRun codec(R"({"name": "wangni", "density": 0.5})", one_tensor({8}), {0.5});
  auto message = codec.encode(kGolden);
  EXPECT_EQ(message.size(), 12 + 2 * 4 + 2u);  // 2 · 3 + 2 · 4 bits of places and signs
  auto sent = codec.decode(message);
  EXPECT_THAT(sent.indices, ElementsAre(1, 2, 5, 6));
  EXPECT_NEAR(sent.values[0], -1.6875, 1e-6);
  EXPECT_EQ(sent.values[1], 2);
  EXPECT_NEAR(sent.values[2], 1.6875, 1e-6);
  EXPECT_EQ(sent.values[3], -3);
}

// All certain but 30 of 1000, or most drawn: then two bits an element are shorter than places.
TEST(Wangni, TakesTheShorterOfTwoCodes) {
  std::vector<double> draws;
  for (int i = 0; i < 1000; ++i) draws.push_back(std::fmod(i * 0.6180339887, 1.0));
  CodecRun few(R"({"name": "wangni", "density": 0.03})", one_tensor({1000}), draws);
  CodecRun many(R"({"name": "wangni", "density": 0.5})", one_tensor({1000}), draws);
  auto gradient = random_gradients(1, 1000)[0];
  auto drawn = [](const Message& message) { return word_at(message, 4); };
  auto certain = [](const Message& message) { return word_at(message, 0); };
  auto message = few.encode(gradient);
  EXPECT_EQ(message.size(),
            12 + 4 * certain(message) + (10 * certain(message) + 11 * drawn(message) + 7) / 8);
  message = many.encode(gradient);
  EXPECT_EQ(message.size(), 12 + 4 * certain(message) + (10 * certain(message) + 2000 + 7) / 8);
}

}  // namespace
}  // namespace traincast
