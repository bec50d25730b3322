#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_harness.hpp"

namespace traincast::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(ScaleCom, SendsTheEntriesThatTheLeaderChose) {
  UnitRun run(R"({"name": "scalecom", "rate": 2})", 2, one_tensor({5}));
  const Vectors g = {{1, 2, 8, 4, 1}, {6, 2, 2, 4, 3}};
  // Learner 0 leads: places 1, 2, 4; both send those.
  auto first = run.step(g);
  EXPECT_THAT(first.average, ElementsAre(0, 2, 5, 0, 2));
  EXPECT_THAT(run.memory(0), ElementsAre(1, 0, 0, 4, 0));
  EXPECT_THAT(run.memory(1), ElementsAre(6, 0, 0, 4, 0));
  // Learner 1 leads, with p = (12, 2, 2, 8, 3): places 0, 3, 4.
  auto second = run.step(g);
  EXPECT_THAT(second.average, ElementsAre(7, 0, 0, 8, 2));
  EXPECT_EQ(second.phases[0].op->root, 1u);
  EXPECT_EQ(second.phases[0].work[1].only, 1u);
}

TEST(ScaleCom, BuildsUpNothing) {
  UnitRun run(R"({"name": "scalecom", "rate": 10})", 8, one_tensor({1003}));
  for (std::uint64_t step = 0; step < 3; ++step) {
    auto result = run.step(random_gradients(8, 1003, step));
    EXPECT_THAT(result.record.union_by_hop, ::testing::SizeIs(8));
    EXPECT_THAT(result.record.union_by_hop, Each(101u));
    EXPECT_EQ(result.record.support, 8u * 101);
  }
}

TEST(ScaleCom, SendsItsIndicesOnceAndFourBytesAValue) {
  // 1003 entries in chunks of 25: k = 41, the last of 3; ⌈log2 25⌉ = 5 bits, 41·5 = 205 bits = 26 bytes.
  for (auto [json, index_bytes] : {std::pair{R"({"name": "scalecom", "rate": 25})", 164u},
                                   {R"({"name": "scalecom", "rate": 25, "index": "packed"})", 26u}}) {
    UnitRun run(json, 4, one_tensor({1003}));
    auto result = run.step(random_gradients(4, 1003));
    ASSERT_EQ(result.phases.size(), 3u);
    EXPECT_EQ(result.phases[0].op->word, Word::broadcast);
    EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(index_bytes));
    EXPECT_EQ(result.phases[0].op->value_bytes, 0u);
    EXPECT_EQ(result.phases[1].op->word, Word::all_reduce);
    EXPECT_EQ(result.phases[1].op->count, 41u);
    EXPECT_EQ(result.phases[1].op->value_bytes, 4u * 41 * 4);
    EXPECT_FALSE(result.phases[2].op);
  }
}

TEST(ScaleCom, SendsTheSameValuesHoweverIndicesTravel) {
  UnitRun plain(R"({"name": "scalecom", "rate": 7})", 3, one_tensor({997}));
  UnitRun packed(R"({"name": "scalecom", "rate": 7, "index": "packed"})", 3, one_tensor({997}));
  for (std::uint64_t step = 0; step < 5; ++step) {
    auto g = random_gradients(3, 997, step);
    EXPECT_EQ(plain.step(g).average, packed.step(g).average);
  }
}

TEST(ScaleCom, TakesTheLeadersTrueTopKWhereAsked) {
  UnitRun run(R"({"name": "scalecom", "rate": 3, "selection": "exact"})", 2, one_tensor({8}));
  // k = ⌊8/3⌋ = 2
  auto result = run.step({{9, 8, 1, 1, 1, 1, 1, 1}, {2, 2, 100, 2, 2, 2, 2, 2}});
  EXPECT_THAT(result.average, ElementsAre(5.5f, 5, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(8));
}

TEST(ScaleCom, RefusesToPackTheIndicesOfATrueTopK) {
  try {
    make_compressor(R"({"name": "scalecom", "rate": 3, "selection": "exact", "index": "packed"})");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "'index' is \"packed\", which needs one entry per chunk, but 'selection' is \"exact\"; allowed "
        "with it: \"int32\"");
  }
}

// An entry that is sent every T steps: memory before its send is (T − 1)·g, for sending takes (1 − beta) of
// the memory along and T − 1 steps add beta·g each: m = (1 − beta)·m + (T − 1)·beta·g. So p = T·g, whatever
// beta.
TEST(ScaleCom, SendsEverythingInTheLongRunWhateverItsFilter) {
  constexpr int kPeriod = 4;
  for (const char* beta : {"1", "0.5", "0.1"}) {
    UnitRun run(R"({"name": "scalecom", "rate": 4, "beta": )" + std::string(beta) + "}", 2,
                one_tensor({kPeriod}));
    const Vectors g(2, Vector(kPeriod, 0.5f));
    for (int step = 0; step < 400 * kPeriod; ++step) run.step(g);
    Vector sent(kPeriod, 0.0f);
    for (int step = 0; step < kPeriod; ++step) {
      auto average = run.step(g).average;
      for (int i = 0; i < kPeriod; ++i)
        if (average[i] != 0) {
          EXPECT_EQ(sent[i], 0) << "sent twice within " << kPeriod << " steps";
          sent[i] = average[i];
        }
    }
    for (float value : sent) EXPECT_NEAR(value, kPeriod * 0.5f, 1e-4) << "beta " << beta;
  }
}

}  // namespace
}  // namespace traincast::testing
