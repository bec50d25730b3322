#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(EfSignSgd, RemembersWhatSignsLeaveOut) {
  // As torch.sign has it: zero stays zero.
  UnitRun run(R"({"name": "ef_signsgd", "coding": "bytes"})", 1, one_tensor({8}));
  auto average = run.step({kGolden}).average;
  EXPECT_EQ(average[0], 1.046875f);
  EXPECT_THAT(run.memory(0),
              ElementsAre(-.546875f, .046875f, .953125f, .796875f, 0, .453125f, -1.953125f, -.921875f));
  average = run.step({kGolden}).average;
  EXPECT_EQ(std::fabs(average[0]), 1.525390625f);
}

TEST(EfSignSgd, WritesWhatBytePsWrites) {
  CodecRun codec(R"({"name": "ef_signsgd"})");
  auto message = codec.encode(kGolden);
  ASSERT_EQ(message.size(), 8u);
  EXPECT_EQ(word_at(message, 0), 0x52000000u);
  EXPECT_EQ(word_at(message, 4), 0x3F860000u);  // 1.046875
}

// Servers average ±1.046875 and ±2, 0.4765625 and 1.5234375 (mean 1.0 over a vector of two), and compress
// again.
TEST(EfSignSgd, ServersCompressAgainWithAMemory) {
  UnitRun run(R"({"name": "ef_signsgd", "transport": "push_pull"})", 2, one_tensor({2}));
  auto first = run.step({{1, 1}, {3, -3}});
  EXPECT_THAT(first.average, ElementsAre(1.5f, -1.5f));  // mean (2, −1): scale 1.5, the server keeps 0.5, 0.5
  auto second = run.step({{1, 1}, {3, -3}});             // mean (2.5, −0.5) with the memory
  EXPECT_THAT(second.average, ElementsAre(1.5f, -1.5f));
  auto third = run.step({{1, 1}, {3, -3}});  // mean (3, 0): zero counts as positive
  EXPECT_THAT(third.average, ElementsAre(1.5f, 1.5f));
}

TEST(SignNorm, PacksABucketOnceWithANormForEachTensor) {
  Bucket bucket{0, {{0, "a", {5, 8}, "linear.weight"}, {1, "b", {3}, "bias"}}};
  UnitRun run(R"({"name": "sign_norm"})", 2, bucket);
  auto gradients = random_gradients(2, 43);
  auto result = run.step(gradients);
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(4 * 2 + 4 * 2, 4 * 2 + 4 * 2));  // ⌈43 / 32⌉ words
  double norms[2] = {0, 0};
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t i = 40; i < 43; ++i) norms[n] += std::fabs(gradients[n][i]) / 3;
  double expected =
      ((gradients[0][41] < 0 ? -norms[0] : norms[0]) + (gradients[1][41] < 0 ? -norms[1] : norms[1])) / 2;
  EXPECT_NEAR(result.average[41], expected, 1e-6);
}

}  // namespace
}  // namespace traincast
