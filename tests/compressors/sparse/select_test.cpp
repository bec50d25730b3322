#include "compressors/sparse/select.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.hpp"

namespace traincast {
namespace {

/// As the definition says it: sorted by magnitude, stably.
std::vector<Index> by_magnitude(const std::vector<float>& values) {
  std::vector<Index> order(values.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return std::fabs(values[a]) > std::fabs(values[b]); });
  return order;
}

std::vector<Index> plain_largest_by_chunk(const std::vector<float>& values, std::uint64_t chunk) {
  std::vector<Index> chosen;
  for (std::size_t begin = 0; begin < values.size(); begin += chunk) {
    std::size_t best = begin;
    for (std::size_t i = begin; i < std::min<std::size_t>(begin + chunk, values.size()); ++i)
      if (std::fabs(values[i]) > std::fabs(values[best])) best = i;
    chosen.push_back(static_cast<Index>(best));
  }
  return chosen;
}

/// Heavy tails, as gradients have them; `levels` > 0 rounds to few values, so that there are ties.
std::vector<float> drawn(std::size_t n, int levels = 0) {
  std::vector<float> values(n);
  RandomStream random({.seed = 3, .tensor = static_cast<std::uint32_t>(n)});
  for (float& value : values) {
    double u = random.uniform() * 2 - 1;
    value = static_cast<float>(levels > 0 ? std::round(u * levels) / levels : u * u * u);
  }
  return values;
}

void expect_all_k_agree(const std::vector<float>& values, const char* what) {
  const std::uint64_t n = values.size();
  const std::vector<Index> order = by_magnitude(values);
  for (std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, n / 1000, n / 100, n / 10,
                          n / 2, n - n / 10, n - 1, n, n + 5}) {
    std::vector<Index> plain(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(k, n)));
    std::sort(plain.begin(), plain.end());
    ASSERT_EQ(largest(values, k), plain) << what << " n " << n << " k " << k;
  }
}

TEST(Largest, AgreesWithSortingEverything) {
  for (std::size_t n : {1u, 2u, 3u, 15u, 16u, 17u, 1023u, 4096u, 10007u, 100003u}) {
    expect_all_k_agree(drawn(n), "random");
    expect_all_k_agree(drawn(n, 5), "many ties");
  }
}

TEST(Largest, TakesTheLowerIndexOfEqualMagnitudes) {
  std::vector<float> values = {1, -2, 2, -2, 0};
  EXPECT_EQ(largest(values, 2), (std::vector<Index>{1, 2}));
  expect_all_k_agree(std::vector<float>(20000, -0.5f), "all equal");
  expect_all_k_agree(std::vector<float>(20000, 0.0f), "all zero");
}

TEST(Largest, IsExactWhereTheSampleMisleads) {
  // The few large values may lie where no sample is taken, or everywhere where one is.
  std::vector<float> spikes(100000, 1e-3f);
  for (std::size_t i = 0; i < 50; ++i) spikes[i * 1999 + 7] = 1.0f + static_cast<float>(i);
  expect_all_k_agree(spikes, "spikes");
  std::vector<float> periodic(100000);
  for (std::size_t i = 0; i < periodic.size(); ++i) periodic[i] = i % 64 == 0 ? 5.0f : 0.01f;
  expect_all_k_agree(periodic, "periodic");
  std::vector<float> rising(100000);
  std::iota(rising.begin(), rising.end(), 0.0f);
  expect_all_k_agree(rising, "rising");
  std::reverse(rising.begin(), rising.end());
  expect_all_k_agree(rising, "falling");
}

TEST(Largest, OrdersDenormalsAndInfinities) {
  float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::infinity();
  std::vector<float> values = {0.0f, tiny, -0.0f, -2 * tiny, -huge, std::numeric_limits<float>::max()};
  EXPECT_EQ(largest(values, 1), (std::vector<Index>{4}));
  EXPECT_EQ(largest(values, 2), (std::vector<Index>{4, 5}));
  EXPECT_EQ(largest(values, 4), (std::vector<Index>{1, 3, 4, 5}));
  EXPECT_EQ(largest(values, 5), (std::vector<Index>{0, 1, 3, 4, 5}));
}

// Memory and gradient are added while the largest sums are looked for: each sum is made once, in order.
TEST(Largest, OfValuesInTheMaking) {
  for (std::size_t n : {0u, 1u, 3u, 4096u, 10007u, 70001u})
    for (std::uint64_t k : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{n} / 100, std::uint64_t{n}}) {
      const std::vector<float> memory = drawn(n), gradient = drawn(n, 9);
      std::vector<float> sums(n), made = memory;
      for (std::size_t i = 0; i < n; ++i) sums[i] = memory[i] + gradient[i];
      std::size_t next = 0;
      auto places = largest_made(
          made, k, [&](std::size_t i) { return memory[i] + gradient[i]; },
          [&](std::size_t first, std::size_t count) {
            ASSERT_EQ(first, next);
            next += count;
            for (std::size_t i = first; i < next; ++i) made[i] += gradient[i];
          });
      EXPECT_EQ(places, largest(sums, k)) << k << " of " << n;
      EXPECT_EQ(made, sums);
      EXPECT_EQ(next, n);
    }
}

TEST(Largest, OfNothingIsNothing) {
  EXPECT_TRUE(largest({}, 0).empty());
  EXPECT_TRUE(largest({}, 3).empty());
}

TEST(LargestByChunk, AgreesWithWalkingEachChunk) {
  for (std::size_t n : {1u, 2u, 15u, 16u, 17u, 1023u, 10007u})
    for (std::uint64_t chunk : {1u, 2u, 7u, 16u, 100u, 1000u, 20000u}) {
      auto values = drawn(n), ties = drawn(n, 3);
      ASSERT_EQ(largest_by_chunk(values, chunk), plain_largest_by_chunk(values, chunk)) << n << " " << chunk;
      ASSERT_EQ(largest_by_chunk(ties, chunk), plain_largest_by_chunk(ties, chunk)) << n << " " << chunk;
    }
  EXPECT_TRUE(largest_by_chunk({}, 10).empty());
}

TEST(LargestByChunk, ChoosesTheFirstOfAChunkOfZeros) {
  EXPECT_EQ(largest_by_chunk(std::vector<float>{0, 0, 0, -0.0f, 0}, 2), (std::vector<Index>{0, 2, 4}));
}

}  // namespace
}  // namespace traincast
