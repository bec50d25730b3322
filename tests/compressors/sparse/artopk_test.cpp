#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(ArTopK, AllSendTheLeadersEntries) {
  UnitRun run(R"({"name": "artopk", "density": 0.25})", 2, one_tensor({4}));
  Vectors gradients = {{4, 1, 0, 0}, {0, 0, 2, 8}};
  auto first = run.step(gradients);
  EXPECT_THAT(first.average, ElementsAre(2, 0, 0, 0));  // learner 0 leads: its 4, and learner 1's 0
  EXPECT_EQ(first.phases[0].op->word, Word::broadcast);
  EXPECT_THAT(first.phases[0].op->bytes, ElementsAre(4));
  EXPECT_EQ(first.phases[1].op->count, 1u);
  EXPECT_THAT(run.step(gradients).average, ElementsAre(0, 0, 0, 8));  // learner 1: twice 8 / 2
}

TEST(ArTopK, TheLargestVarianceMayLead) {
  UnitRun run(R"({"name": "artopk", "density": 0.25, "leader": "variance"})", 2, one_tensor({4}));
  auto result = run.step({{5, 5, 5, 6}, {0, 0, 9, 0}});
  EXPECT_THAT(result.average, ElementsAre(0, 0, 7, 0));
  EXPECT_EQ(result.phases[0].op->word, Word::all_gather);
  EXPECT_THAT(result.phases[0].op->bytes, ElementsAre(4, 4));
  EXPECT_EQ(result.phases[1].op->root, 1u);
}

// Phases of a bucket's tensors join, whatever their shapes: one broadcast, or the variances before it.
TEST(ArTopK, JoinsTheTensorsOfABucket) {
  for (std::string leader : {"cyclic", "variance"}) {
    std::vector<std::vector<Phase>> units;
    for (std::uint32_t id : {0u, 1u, 2u}) {
      Bucket unit = one_tensor(std::vector<std::int64_t>{10 * (id + 1), 4}, id);
      UnitRun run(R"({"name": "artopk", "density": 0.1, "leader": ")" + leader + "\"}", 3, unit);
      // Everywhere another learner has the largest variance: three roots, of which no two can be joined.
      auto gradients = random_gradients(3, unit.numel());
      for (float& value : gradients[id]) value *= 100;
      units.push_back(run.step(gradients).phases);
    }
    BucketExchange bucket = fuse(units);
    std::uint64_t broadcast = 0, summed = 0;
    std::size_t broadcasts = 0;
    for (const Phase& phase : bucket.phases) {
      if (!phase.op) continue;
      if (phase.op->word == Word::broadcast) {
        broadcast += phase.op->bytes[0];
        ++broadcasts;
      }
      if (phase.op->word == Word::all_reduce) summed += phase.op->count;
    }
    EXPECT_EQ(broadcasts, leader == "cyclic" ? 1u : 3u);
    EXPECT_EQ(broadcast, 4 * (4 + 8 + 12u));
    EXPECT_EQ(summed, 4 + 8 + 12u);
  }
}

// torch.topk's indices have 64 bits.
TEST(ArTopK, SendsIndicesAsTheReferenceDoes) {
  UnitRun run(R"({"name": "artopk", "density": 0.1, "index": "int64"})", 2, one_tensor({8, 5}));
  EXPECT_THAT(run.step(random_gradients(2, 40)).phases[0].op->bytes, ElementsAre(32));
}

}  // namespace
}  // namespace traincast
