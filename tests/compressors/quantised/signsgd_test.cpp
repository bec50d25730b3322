#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

const Vectors kThree = {{1, -1, 2, 0}, {-3, -1, 1, -1}, {-1, 1, 5, 0}};

TEST(SignSgd, AppliesWhatMostLearnersWant) {
  for (const char* transport : {"push_pull", "all_to_all", "all_gather"}) {
    std::string json = R"({"name": "signsgd", "transport": ")" + std::string(transport) + "\"}";
    UnitRun run(json, 3, one_tensor({4}));
    EXPECT_THAT(run.step(kThree).average, ElementsAre(-1, -1, 1, 1)) << transport;
  }
  UnitRun tie(R"({"name": "signsgd"})", 2, one_tensor({2}));
  EXPECT_THAT(tie.step({{1, -1}, {-1, -1}}).average, ElementsAre(1, -1)) << "a tie is +1";
}

TEST(SignSgd, HasNoMeanOnTheWaysOfTheVote) {
  for (const char* transport : {"push_pull", "all_to_all"})
    EXPECT_THAT(refusal([&] {
                  make_compressor(R"({"name": "signsgd", "aggregate": "mean", "transport": ")" +
                                  std::string(transport) + "\"}");
                }),
                ::testing::HasSubstr("but 'aggregate' is \"mean\"; allowed with it: auto, all_gather"));
  make_compressor(R"({"name": "signsgd", "aggregate": "mean", "transport": "all_gather"})");
}

TEST(SignSgd, OrTheMeanOfSigns) {
  UnitRun run(R"({"name": "signsgd", "aggregate": "mean"})", 2, one_tensor({4}));
  EXPECT_THAT(run.step({{1, -1, 2, 0}, {-3, -1, 1, 1}}).average, ElementsAre(0, -1, 1, 1));
}

// 1000 elements: 32 words; a byte each as GRACE sends them.
TEST(SignSgd, SendsABitAnElement) {
  UnitRun packed(R"({"name": "signsgd"})", 4, one_tensor({1000}));
  const Op op = *packed.step(random_gradients(4, 1000)).phases[0].op;
  EXPECT_EQ(op.word, Word::push_pull);
  EXPECT_THAT(op.bytes, ElementsAre(128, 128, 128, 128));
  EXPECT_EQ(op.pulled, 128u);
  UnitRun bytes(R"({"name": "signsgd", "coding": "bytes", "aggregate": "mean"})", 2, one_tensor({1000}));
  EXPECT_THAT(bytes.step(random_gradients(2, 1000)).phases[0].op->bytes, ElementsAre(1000, 1000));
}

// m = 0.1 g, then 0.9 · 0.1 g₁ + 0.1 g₂: −1 after 3 leaves the sign of the older.
TEST(Signum, SendsTheSignOfItsMomentum) {
  UnitRun run(R"({"name": "signum", "aggregate": "mean"})", 1, one_tensor({2}));
  EXPECT_THAT(run.step({{3, -1}}).average, ElementsAre(1, -1));
  EXPECT_THAT(run.step({{-1, 2}}).average, ElementsAre(1, 1));
  EXPECT_THAT(run.step({{-3, 0}}).average, ElementsAre(-1, 1));
}

}  // namespace
}  // namespace traincast
