#include "base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace traincast {
namespace {

// Random123's known answers for philox4x32-10 (kat_vectors of its distribution).
TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsAFunctionOfItsKeyAndEveryPartOfTheKeyMatters) {
  auto first = [](StreamKey key) {
    RandomStream stream(key);
    std::uint64_t high = stream.next();
    return (high << 32) | stream.next();
  };
  StreamKey base{1, Purpose::data, 2, 3, 4};
  EXPECT_EQ(first(base), first(base));
  std::set<std::uint64_t> seen;
  for (StreamKey key : {base, StreamKey{2, Purpose::data, 2, 3, 4}, StreamKey{1, Purpose::shuffle, 2, 3, 4},
                        StreamKey{1, Purpose::data, 3, 3, 4}, StreamKey{1, Purpose::data, 2, 4, 4},
                        StreamKey{1, Purpose::data, 2, 3, 5}, StreamKey{1, Purpose::data, 2, 4, 3}})
    seen.insert(first(key));
  EXPECT_EQ(seen.size(), 7u);
}

TEST(RandomStream, HasTheMomentsOfItsDistributions) {
  RandomStream stream({7, Purpose::data, 0, 0, 0});
  constexpr int kDraws = 200000;
  double uniform = 0, normal = 0, square = 0, fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    uniform += stream.uniform();
    double x = stream.normal();
    normal += x, square += x * x, fourth += x * x * x * x;
  }
  // Five standard errors: 1/sqrt(12), 1, sqrt(2) and sqrt(96) over sqrt(draws).
  double root = std::sqrt(kDraws);
  EXPECT_NEAR(uniform / kDraws, 0.5, 5 * 0.2887 / root);
  EXPECT_NEAR(normal / kDraws, 0.0, 5 * 1.0 / root);
  EXPECT_NEAR(square / kDraws, 1.0, 5 * 1.4143 / root);
  EXPECT_NEAR(fourth / kDraws, 3.0, 5 * 9.798 / root);
}

TEST(RandomStream, BelowStaysBelowAndReachesEveryValue) {
  RandomStream stream({3, Purpose::shuffle, 0, 0, 0});
  std::array<int, 5> counts{};
  for (int i = 0; i < 5000; ++i) ++counts.at(stream.below(5));
  for (int count : counts) EXPECT_NEAR(count, 1000, 5 * std::sqrt(800.0));
  EXPECT_EQ(stream.below(1), 0u);
}

}  // namespace
}  // namespace traincast
