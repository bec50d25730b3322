// Top-k summed in flight against top-k gathered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

constexpr const char* kGathered = R"({"name": "topk", "density": 0.25})";
constexpr const char* kSummed = R"({"name": "topk", "density": 0.25, "transport": "sparse_all_reduce"})";

TEST(SparseSummed, AppliesWhatGatheringApplies) {
  for (std::uint32_t learners : {1U, 3U, 8U}) {
    UnitRun gathered(kGathered, learners, one_tensor({8, 5})), summed(kSummed, learners, one_tensor({8, 5}));
    for (unsigned step = 0; step < 3; ++step) {
      auto gradients = random_gradients(learners, 40);
      auto one = gathered.step(gradients), other = summed.step(gradients);
      for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(one.average[i], other.average[i], 1e-6);
      EXPECT_EQ(one.record.union_by_hop, other.record.union_by_hop);
    }
  }
}

// Two of eight entries each: places 1 and 6, and 6 and 2.
TEST(SparseSummed, RecordsWhatEachLearnerSends) {
  UnitRun run(kSummed, 2, one_tensor({8}));
  auto result = run.step({{0, 5, 0, 0, 0, 0, -4, 1}, {0, 1, 3, 0, 0, 0, 2, 0}});
  const Op& op = *result.phases[0].op;
  EXPECT_EQ(op.word, Word::sparse_all_reduce);
  EXPECT_EQ(op.count, 8u);
  EXPECT_THAT(*op.supports, ElementsAre(ElementsAre(1, 6), ElementsAre(2, 6)));
  EXPECT_EQ(op.contributed(2), 4 * 8u);
  EXPECT_EQ(op.value_bytes, 4 * 4u);
  EXPECT_THAT(result.average, ElementsAre(0, 2.5f, 1.5f, 0, 0, 0, -1, 0));
}

TEST(SparseSummed, DoesNotSendZeros) {
  UnitRun run(kSummed, 2, one_tensor({8}));
  auto result = run.step({{0, 0, 0, 0, 0, 0, 0, 9}, {0, 0, 0, 0, 0, 0, 0, 0}});
  EXPECT_THAT(*result.phases[0].op->supports, ElementsAre(ElementsAre(7), ElementsAre()));
}

// The second tensor's places follow the first's four.
TEST(SparseSummed, TensorsOfABucketLieOneBehindAnother) {
  std::vector<std::vector<Phase>> units;
  for (std::uint64_t numel : {4, 8}) {
    UnitRun run(kSummed, 1, one_tensor({static_cast<std::int64_t>(numel)}));
    Vector gradient(numel, 0);
    gradient[1] = 1;
    units.push_back(run.step({gradient}).phases);
  }
  BucketExchange bucket = fuse(units);
  EXPECT_EQ(bucket.phases[0].op->count, 12u);
  EXPECT_THAT((*bucket.phases[0].op->supports)[0], ElementsAre(1, 5));
}

}  // namespace
}  // namespace traincast
