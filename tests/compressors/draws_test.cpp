#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/draws.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Draws, AreThoseOfTheirPlacesWhateverIsDrawnWithThem) {
  KeyedDraws draws({.seed = 5, .purpose = Purpose::compressor, .step = 1, .learner = 2, .tensor = 3});
  std::vector<std::uint32_t> all(3000), part(17);
  draws.fill(0, all);
  for (std::uint64_t begin : {0u, 1u, 1000u, 2983u}) {
    draws.fill(begin, part);
    for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], all[begin + i]);
  }
  EXPECT_EQ(ShiftedDraws(draws, 100).at(5), all[105]);
}

TEST(Draws, GoOnBeyondThe32ndPower) {
  KeyedDraws draws({.seed = 5});
  std::uint32_t across[4];
  draws.fill(0xfffffffe, across);
  EXPECT_EQ(across[1], draws.at(0xffffffff));
  EXPECT_EQ(across[2], draws.at(0x100000000));
  EXPECT_NE(across[2], draws.at(0));
}

// Uniform in 64 cells, in every bit, and between neighbours; five standard deviations of a binomial.
TEST(Draws, AreUniformAndIndependentOfTheirNeighbours) {
  constexpr std::size_t kDraws = 1 << 18;
  std::vector<std::uint32_t> all(kDraws);
  for (std::uint32_t learner : {0u, 1u}) {
    KeyedDraws({.seed = 1, .purpose = Purpose::compressor, .step = 0, .learner = learner}).fill(0, all);
    std::vector<double> cells(64), pairs(64);
    for (std::size_t i = 0; i < kDraws; ++i) {
      ++cells[all[i] >> 26];
      ++pairs[((all[i] >> 29) << 3) | (all[(i + 1) % kDraws] >> 29)];
    }
    const double expected = kDraws / 64.0, allowed = 5 * std::sqrt(expected);
    for (std::size_t c = 0; c < 64; ++c) {
      EXPECT_NEAR(cells[c], expected, allowed);
      EXPECT_NEAR(pairs[c], expected, allowed);
    }
    for (unsigned bit = 0; bit < 32; ++bit) {
      double ones = 0;
      for (std::uint32_t draw : all) ones += (draw >> bit) & 1;
      EXPECT_NEAR(ones, kDraws / 2.0, 5 * std::sqrt(kDraws / 4.0)) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace traincast
