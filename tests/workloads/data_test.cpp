#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/sha256.hpp"
#include "workloads/data/procedural_images.hpp"
#include "workloads/data/shards.hpp"

namespace traincast {
namespace {

struct Image {
  std::array<float, kImageSize> pixels;
  std::int64_t label;
};

Image image(std::uint64_t seed, std::uint64_t index) {
  Image made;
  made.label = procedural_image(seed, index, made.pixels);
  return made;
}

TEST(ProceduralImages, DependOnSeedAndIndexAlone) {
  Image first = image(3, 7), again = image(3, 7);
  EXPECT_EQ(first.pixels, again.pixels);
  EXPECT_EQ(first.label, again.label);
  EXPECT_NE(first.pixels, image(3, 8).pixels);
  EXPECT_NE(first.pixels, image(4, 7).pixels);
}

TEST(ProceduralImages, AreTheSameEverywhere) {
  Image made = image(0, 0);
  EXPECT_EQ(sha256_hex({reinterpret_cast<const char*>(made.pixels.data()), sizeof made.pixels}),
            "0cf0e5376e576b152e5aace4517c6664854ec9d2b81c8a0e59ddd9597f95a453");
}

TEST(ProceduralImages, HaveZeroMeanUnitVarianceAndEvenClasses) {
  constexpr int count = 2000;
  double sum = 0, squares = 0;
  std::array<int, kImageClasses> of_class{};
  for (int i = 0; i < count; ++i) {
    Image made = image(1, static_cast<std::uint64_t>(i));
    ++of_class[static_cast<std::size_t>(made.label)];
    for (float pixel : made.pixels) sum += pixel, squares += double{pixel} * pixel;
  }
  double values = count * static_cast<double>(kImageSize);
  EXPECT_NEAR(sum / values, 0, 0.05);
  EXPECT_NEAR(squares / values, 1.25, 0.25);
  // Binomial with mean 200 and standard deviation 13.4: five of them.
  for (int in_class : of_class) EXPECT_NEAR(in_class, count / 10, 67);
}

TEST(ProceduralImages, LetALinearRuleTellClasses) {
  // The nearest class mean, learnt from 1000 images: a linear rule. Chance is 0.1; solved would leave nothing
  // to learn.
  std::vector<std::array<double, kImageSize>> means(kImageClasses);
  std::array<double, kImageClasses> counts{};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Image made = image(2, i);
    auto label = static_cast<std::size_t>(made.label);
    for (std::size_t p = 0; p < kImageSize; ++p) means[label][p] += double{made.pixels[p]};
    ++counts[label];
  }
  int right = 0;
  for (std::uint64_t i = 1000; i < 1500; ++i) {
    Image made = image(2, i);
    std::array<double, kImageClasses> score{};
    for (std::size_t c = 0; c < score.size(); ++c)
      for (std::size_t p = 0; p < kImageSize; ++p) {
        double mean = means[c][p] / counts[c];
        score[c] += mean * double{made.pixels[p]} - mean * mean / 2;
      }
    right += std::max_element(score.begin(), score.end()) - score.begin() == made.label;
  }
  EXPECT_GT(right / 500.0, 0.4);
  EXPECT_LT(right / 500.0, 0.95);
}

TEST(Shards, AreDisjointAndSeenOncePerEpoch) {
  Shards shards{.seed = 5, .samples_per_learner = 12, .batch = 4};
  for (LearnerId learner : {0u, 3u}) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t step = 3; step < 6; ++step)
      for (std::uint64_t index : shards.sample_indices(learner, step)) EXPECT_TRUE(seen.insert(index).second);
    EXPECT_EQ(seen.size(), 12u);
    EXPECT_EQ(*seen.begin(), learner * 12);
    EXPECT_EQ(*seen.rbegin(), learner * 12 + 11);
  }
}

TEST(Shards, AreWalkedInANewOrderEveryEpoch) {
  Shards shards{.seed = 5, .samples_per_learner = 100, .batch = 100};
  EXPECT_NE(shards.sample_indices(0, 0), shards.sample_indices(0, 1));
  EXPECT_EQ(shards.sample_indices(0, 1), shards.sample_indices(0, 1));
}

TEST(Shards, LeaveOutWhatFillsNoMiniBatch) {
  Shards shards{.seed = 5, .samples_per_learner = 10, .batch = 4};
  std::set<std::uint64_t> first_epoch;
  for (std::uint64_t step = 0; step < 2; ++step)
    for (std::uint64_t index : shards.sample_indices(1, step)) first_epoch.insert(index);
  EXPECT_EQ(first_epoch.size(), 8u);
}

TEST(Shards, FillABatchWithTheirImages) {
  Shards shards{.seed = 5, .samples_per_learner = 10, .batch = 2};
  Batch batch;
  shards.fill(1, 0, batch);
  auto indices = shards.sample_indices(1, 0);
  ASSERT_EQ(batch.features.size(), 2u * kImageSize);
  for (std::size_t i = 0; i < 2; ++i) {
    Image made = image(5, indices[i]);
    EXPECT_EQ(batch.labels[i], made.label);
    EXPECT_TRUE(std::equal(made.pixels.begin(), made.pixels.end(), batch.features.begin() + kImageSize * i));
  }
}

}  // namespace
}  // namespace traincast
