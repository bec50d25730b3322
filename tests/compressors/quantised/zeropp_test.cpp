#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// 8 learners in nodes of 4, 16 × 24 = 384 elements: chunks of 48, of three scales each (24 / 8). Within a
// node a learner sends each other one its chunks of both nodes, half a byte an element; across nodes one
// chunk.
TEST(ZeroPlusPlus, SendsFourBitsAnElementAtBothLevels) {
  UnitRun run(R"({"name": "zeropp", "node_size": 4})", 8, one_tensor({16, 24}));
  auto ops = ops_of(run.step(random_gradients(8, 384)).phases);
  ASSERT_EQ(ops.size(), 5u);
  const Subgroups within{Among::within, 4}, across{Among::across, 4};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(ops[i].word, Word::all_to_all);
  EXPECT_EQ(ops[0].members, within);
  EXPECT_EQ(ops[0].bytes, std::vector<Bytes>{2 * 48 / 2});
  EXPECT_EQ(ops[1].members, within);
  EXPECT_EQ(ops[1].bytes, std::vector<Bytes>{2 * 3 * 4});
  EXPECT_EQ(ops[2].members, across);
  EXPECT_EQ(ops[2].bytes, std::vector<Bytes>{48 / 2});
  EXPECT_EQ(ops[3].members, across);
  EXPECT_EQ(ops[3].bytes, std::vector<Bytes>{3 * 4});
  // In all: N·d/2 within, N·(d/g)/2 across.
  EXPECT_EQ(ops[0].contributed(8), 8 * 384 / 2u);
  EXPECT_EQ(ops[2].contributed(8), 8 * 384 / 4 / 2u);
  EXPECT_EQ(ops[4].word, Word::all_gather);
  EXPECT_EQ(ops[4].bytes, std::vector<Bytes>(8, 48 * 2));
}

// Between −8 and 7 steps of an eighth of the largest magnitude nothing is lost, twice. A largest value above
// 0 is cut to seven eighths within nodes, and across them again.
TEST(ZeroPlusPlus, KeepsWholeStepsAndCutsThePositiveEnd) {
  UnitRun run(R"({"name": "zeropp", "node_size": 2, "gather": "fp32"})", 2, one_tensor({2, 2, 2}));
  const Vector steps = {-8, 7, 3, -1, 0, 5, -8, 2};
  EXPECT_EQ(run.step({steps, steps}).average, steps);
  const Vector positive = {8, 0, 0, 0, 0, 0, 0, 4};
  EXPECT_EQ(run.step({positive, positive}).average, (Vector{6.125f, 0, 0, 0, 0, 0, 0, 3.0625f}));
}

// 4 learners, however they are in nodes: chunks of two elements, (−8, 7), (4, −8) and so on, whole steps all.
TEST(ZeroPlusPlus, AveragesOverNodesOfAnySize) {
  const Vector one = {-8, 7, 4, -8, -8, 5, -8, 2}, other = {-8, 5, 2, -8, -8, 1, -8, 4};
  for (int node_size : {1, 2, 4}) {
    UnitRun run(R"({"name": "zeropp", "gather": "fp32", "node_size": )" + std::to_string(node_size) + "}", 4,
                one_tensor({2, 2, 2}));
    EXPECT_EQ(run.step({one, other, other, one}).average, (Vector{-8, 6, 3, -8, -8, 3, -8, 3})) << node_size;
  }
}

// Every learner's own share of the error is at most half a step of its group, but for positive ends.
TEST(ZeroPlusPlus, ErrsByHalfAStep) {
  UnitRun run(R"({"name": "zeropp", "node_size": 1, "gather": "fp32", "uneven": "padded"})", 1,
              one_tensor({8, 12}));
  auto gradients = random_gradients(1, 96);
  for (float& value : gradients[0]) value = std::min(value, 1.0f);
  gradients[0][0] = -4;
  auto average = run.step(gradients).average;
  for (std::size_t i = 0; i < 96; ++i) EXPECT_NEAR(average[i], gradients[0][i], 0.25 + 1e-6);
}

TEST(ZeroPlusPlus, SendsVectorsAndUnevenMatricesDense) {
  for (const auto& shape : {std::vector<std::int64_t>{384}, {3, 7}}) {
    UnitRun run(R"({"name": "zeropp", "node_size": 2, "gather": "fp32"})", 4, one_tensor(shape));
    auto gradients = random_gradients(4, one_tensor(shape).numel());
    auto result = run.step(gradients);
    auto ops = ops_of(result.phases);
    ASSERT_EQ(ops.size(), 2u);
    EXPECT_EQ(ops[0].word, Word::reduce_scatter);
    EXPECT_EQ(ops[0].count % 4, 0u);
    EXPECT_EQ(ops[0].members, Subgroups{});
    for (std::size_t i = 0; i < result.average.size(); ++i)
      EXPECT_NEAR(result.average[i],
                  (gradients[0][i] + gradients[1][i] + gradients[2][i] + gradients[3][i]) / 4, 1e-6);
  }
}

TEST(ZeroPlusPlus, WantsFullNodes) {
  auto method = make_compressor(R"({"name": "zeropp", "node_size": 8})");
  EXPECT_NO_THROW(method->refuse_learners(16));
  EXPECT_EQ(refusal([&] { method->refuse_learners(12); }),
            "needs nodes that are full, got 12 learners in nodes of 8");
}

}  // namespace
}  // namespace traincast
