#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "compressors/sparse/random_places.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(RandomK, DrawsEverySubsetAsOften) {
  std::map<std::vector<Index>, int> seen;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) ++seen[random_places(5, 2, KeyedDraws({.seed = seed}))];
  EXPECT_EQ(seen.size(), 10u);
  // 200 expected of each; five standard deviations of √(200 · 0.9).
  for (const auto& [places, count] : seen) EXPECT_NEAR(count, 200, 67);
}

/// Floyd's sampling as it is written, one draw after another.
std::vector<Index> plainly_drawn(std::uint64_t numel, std::uint64_t k, const Draws& draws) {
  std::set<Index> places;
  for (std::uint64_t j = 0; j < k; ++j) {
    const std::uint64_t last = numel - k + j;
    auto place = static_cast<Index>(draw_below(draws, j, last + 1));
    places.insert(places.contains(place) ? static_cast<Index>(last) : place);
  }
  return {places.begin(), places.end()};
}

// Among them many draws of one place, and draws of a place that an earlier one was moved to.
TEST(RandomK, DrawsWhatDrawingOneByOneGives) {
  for (auto [numel, k] : {std::pair<std::uint64_t, std::uint64_t>{2, 1},
                          {10, 5},
                          {100, 50},
                          {4000, 2000},
                          {5000, 600},
                          {70000, 1000},
                          {3000000000, 700}})
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      ASSERT_EQ(random_places(numel, k, KeyedDraws({.seed = seed})),
                plainly_drawn(numel, k, KeyedDraws({.seed = seed})))
          << k << " of " << numel << ", seed " << seed;
}

TEST(RandomK, DrawsRisingPlacesBelowTheEnd) {
  for (auto [numel, k] : {std::pair<std::uint64_t, std::uint64_t>{0, 0},
                          {1, 1},
                          {7, 7},
                          {1000, 3},
                          {1000, 999},
                          {100000, 40000},
                          {3000000, 5000}}) {
    auto places = random_places(numel, k, KeyedDraws({.seed = 3}));
    ASSERT_EQ(places.size(), k);
    for (std::size_t j = 0; j < k; ++j) {
      ASSERT_LT(places[j], numel);
      if (j > 0) {
        ASSERT_LT(places[j - 1], places[j]);
      }
    }
  }
}

// k = 20 of 1000: 4 bytes an entry in flight with a shared seed, 8 gathered with its own.
TEST(RandomK, SendsNoIndicesWhereTheSeedIsShared) {
  UnitRun shared(R"({"name": "random_k", "density": 0.02})", 4, one_tensor({25, 40}));
  auto result = shared.step(random_gradients(4, 1000));
  EXPECT_EQ(result.phases[0].op->word, Word::all_reduce);
  EXPECT_EQ(result.phases[0].op->contributed(4), 4 * 4 * 20u);
  EXPECT_EQ(result.record.support, 80u);
  EXPECT_EQ(result.record.union_by_hop.back(), 20u);
  UnitRun own(R"({"name": "random_k", "density": 0.02, "seed": "own"})", 4, one_tensor({25, 40}));
  EXPECT_THAT(own.step(random_gradients(4, 1000)).phases[0].op->bytes, ElementsAre(160, 160, 160, 160));
}

TEST(RandomK, MultipliesByTheInverseShareWhereUnbiased) {
  UnitRun run(R"({"name": "random_k", "density": 0.25, "unbiased": true})", 2, one_tensor({8}));
  auto result = run.step({Vector(8, 3), Vector(8, 1)});
  EXPECT_EQ(std::count(result.average.begin(), result.average.end(), 8.0f), 2);  // (3 + 1) / 2 · 4
  EXPECT_EQ(std::count(result.average.begin(), result.average.end(), 0.0f), 6);
  EXPECT_TRUE(run.memory(0).empty());
}

}  // namespace
}  // namespace traincast
