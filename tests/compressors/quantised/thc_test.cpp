#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "compressors/quantised/thc.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Thc, CutsNormalNumbersAtAQuantile) {
  EXPECT_NEAR(normal_limit(0.05), 1.959964, 1e-6);
  EXPECT_NEAR(normal_limit(1.0 / 32), 2.153875, 1e-5);
}

TEST(Thc, ItsTableIsTheBestOfAllTables) {
  // All tables of four numbers from 0 to 7, by trial.
  const double limit = normal_limit(1.0 / 32);
  auto cost = [&](std::vector<std::uint32_t> table) {
    double sum = 0;
    for (int j = 0; j < 7000; ++j) {
      double number = (j + 0.5) / 1000, x = (2 * number / 7 - 1) * limit;
      std::size_t above = 1;
      while (table[above] < number) ++above;
      sum += (number - table[above - 1]) * (table[above] - number) * std::exp(-x * x / 2);
    }
    return sum;
  };
  auto best = thc_table(2, 7, limit);
  for (std::uint32_t a = 1; a < 6; ++a)
    for (std::uint32_t b = a + 1; b < 7; ++b)
      EXPECT_LE(cost(best), cost({0, a, b, 7}) * (1 + 1e-6)) << a << " " << b;
  // Sixteen of 0 … 30: both ends, closer in the middle.
  auto table = thc_table(4, 30, limit);
  EXPECT_EQ(std::set<std::uint32_t>(table.begin(), table.end()).size(), 16u);
  EXPECT_EQ(table.front(), 0u);
  EXPECT_EQ(table.back(), 30u);
  EXPECT_GE(table[1] - table[0], table[8] - table[7]);
}

TEST(Thc, PushesFourBitsAndPullsEight) {
  UnitRun run(R"({"name": "thc"})", 8, one_tensor({1000}));
  auto result = run.step(random_gradients(8, 1000));
  EXPECT_EQ(result.phases[0].op->count, 1u) << "the norm";
  const Op& op = *result.phases[1].op;
  EXPECT_EQ(op.word, Word::push_pull);
  EXPECT_EQ(op.bytes, std::vector<Bytes>(8, 512));
  EXPECT_EQ(op.pulled, 1024u);  // 8 · 30 ≤ 255
  UnitRun nine(R"({"name": "thc"})", 9, one_tensor({1000}));
  EXPECT_EQ(nine.step(random_gradients(9, 1000)).phases[1].op->pulled, 2048u);
}

// Adding up codes is adding up what they stand for.
TEST(Thc, TheSumOfIndicesIsTheSumOfValues) {
  auto gradients = random_gradients(4, 300);
  UnitRun run(R"({"name": "thc"})", 4, one_tensor({300}), ErrorRule{ErrorRule::Error::local, 1});
  auto average = run.step(gradients).average;
  for (std::size_t i = 0; i < 300; ++i) {
    double kept = 0;
    for (LearnerId n = 0; n < 4; ++n) kept += (gradients[n][i] - run.memory(n)[i]) / 4;
    EXPECT_NEAR(average[i], kept, 1e-5);
  }
  EXPECT_THROW(make_compressor(R"({"name": "thc"})")->refuse_learners(2185), InputError);
  EXPECT_NO_THROW(make_compressor(R"({"name": "thc"})")->refuse_learners(2184));
}

}  // namespace
}  // namespace traincast
