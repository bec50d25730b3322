#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/quantised/rotation.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Rotation, KeepsTheNormAndComesBack) {
  for (std::uint64_t numel : {1u, 2u, 3u, 100u, 1024u, 5000u})
    for (std::uint64_t block : {0u, 1u, 16u, 4096u}) {
      KeyedDraws shared({.seed = numel});
      auto x = random_gradients(1, numel)[0];
      auto u = rotated(x, block, shared);
      ASSERT_EQ(u.size(), rotated_size(numel, block));
      double before = 0, after = 0;
      for (float value : x) before += static_cast<double>(value) * value;
      for (float value : u) after += static_cast<double>(value) * value;
      EXPECT_NEAR(after / before, 1, 1e-5);
      auto back = rotated_back(u, numel, block, shared);
      for (std::size_t i = 0; i < numel; ++i) EXPECT_NEAR(back[i], x[i], 1e-5);
    }
}

// A spike becomes ±1/√D everywhere.
TEST(Rotation, FlattensASpike) {
  Vector spike(64, 0.0f);
  spike[17] = 8;
  for (float value : rotated(spike, 0, KeyedDraws({.seed = 2}))) EXPECT_NEAR(std::fabs(value), 1, 1e-6);
}

TEST(Rotation, FillsUpToWholeBlocks) {
  EXPECT_EQ(rotated_size(0, 0), 0u);
  EXPECT_EQ(rotated_size(5, 0), 8u);
  EXPECT_EQ(rotated_size(1000, 256), 1024u);
  EXPECT_EQ(rotated_size(1025, 256), 1280u);
  EXPECT_EQ(rotated_size(5, 256), 8u) << "a block is not longer than the vector needs";
}

}  // namespace
}  // namespace traincast
