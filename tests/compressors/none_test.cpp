#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bf16.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(None, AveragesAndChargesNoWork) {
  UnitRun run(R"("none")", 3, one_tensor({2}));
  auto result = run.step({{1, 2}, {2, 4}, {6, -3}});
  EXPECT_THAT(result.average, ElementsAre(3, 1));
  ASSERT_EQ(result.phases.size(), 1u);
  EXPECT_THAT(result.phases[0].work, IsEmpty());
  EXPECT_EQ(result.phases[0].op->count, 2u);
  EXPECT_EQ(result.phases[0].op->value_bytes, 3u * 2 * 4);
  EXPECT_THAT(result.record.union_by_hop, IsEmpty());
}

TEST(None, InBf16CastsThenDividesThenSumsInBf16) {
  // Near 1, bf16 values are 1/128 apart. bf16(1 + 1/256) ties to 1; 1/3 → 0x3eab = 0.333984375.
  // 3 × 0.333984375 summed in bf16: 0.66796875 is exact; 1.001953125 lies a quarter of a spacing above 1 → 1.
  UnitRun run(R"({"name": "none", "precision": "bf16"})", 3, one_tensor({1}));
  float g = 1 + 1.0f / 256;
  auto result = run.step({{g}, {g}, {g}});
  EXPECT_EQ(result.average[0], 1.0f);
  const Op& op = *result.phases[0].op;
  EXPECT_EQ(op.element, Element::bf16);
  EXPECT_EQ(op.count, 1u);
  EXPECT_EQ(op.value_bytes, 6u);
  ASSERT_EQ(result.phases.size(), 2u);
  EXPECT_EQ(result.phases[0].work.size(), 1u);
  EXPECT_EQ(result.phases[1].work.size(), 1u);
  EXPECT_EQ(result.phases[1].work[0].stage, Stage::decode);
}

TEST(None, InBf16DoesNotOverflowWhereTheSumWould) {
  UnitRun run(R"({"name": "none", "precision": "bf16"})", 4, one_tensor({1}));
  EXPECT_EQ(run.step({{3e38f}, {3e38f}, {3e38f}, {3e38f}}).average[0], round_to_bf16(3e38f));
}

TEST(None, InBf16CanRememberWhatTheCastLost) {
  UnitRun run(R"({"name": "none", "precision": "bf16"})", 2, one_tensor({1}),
              ErrorRule{ErrorRule::Error::local, 1});
  float lost = 1.0f / 512;  // a quarter of the spacing next to 1
  run.step({{1 + lost}, {1}});
  EXPECT_EQ(run.memory(0), Vector{lost});
  EXPECT_EQ(run.memory(1), Vector{0});
}

}  // namespace
}  // namespace traincast
