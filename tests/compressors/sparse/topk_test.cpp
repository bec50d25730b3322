#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/methods.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(TopK, KeepsAtLeastOneEntryAndNoMoreThanItsShare) {
  EXPECT_EQ(share_of(0.001, 0), 0u);
  EXPECT_EQ(share_of(0.001, 10), 1u);
  EXPECT_EQ(share_of(0.001, 1999), 1u);
  EXPECT_EQ(share_of(0.001, 2000), 2u);
  EXPECT_EQ(share_of(0.29, 100), 29u);  // 0.29 · 100 is 28.999999999999996 in doubles
  EXPECT_EQ(share_of(1, 7), 7u);
}

TEST(TopK, SendsEightBytesAnEntry) {
  UnitRun run(R"({"name": "topk", "density": 0.01})", 4, one_tensor({25, 40}));
  auto result = run.step(random_gradients(4, 1000));
  ASSERT_EQ(result.phases.size(), 2u);
  const Op& op = *result.phases[0].op;
  EXPECT_EQ(op.word, Word::all_gather);
  EXPECT_THAT(op.bytes, ElementsAre(80, 80, 80, 80));
  EXPECT_EQ(op.value_bytes, 4u * 40);
  Work decode{Primitive::scatter, {1000, 10, 0}, 4};  // message by message
  Work clear_and_divide{Primitive::elementwise, {1000, 0, 0}};
  decode.stage = clear_and_divide.stage = Stage::decode;
  EXPECT_THAT(result.phases[1].work, ElementsAre(decode, clear_and_divide));
  EXPECT_FALSE(result.phases[1].op);
}

TEST(TopK, AveragesOverAllLearnersWhereverEntriesMeet) {
  UnitRun run(R"({"name": "topk", "density": 0.5})", 2, one_tensor({4}));
  auto result = run.step({{4, 1, 3, 2}, {0, 6, -5, 1}});
  EXPECT_THAT(result.average, ElementsAre(2, 3, -1, 0));
  EXPECT_THAT(result.record.union_by_hop, ElementsAre(2, 3));
  EXPECT_EQ(result.record.support, 4u);
}

TEST(TopK, CodecRefusesWhatItCannotHaveWritten) {
  CodecRun codec(R"({"name": "topk", "density": 0.5})", one_tensor({4}));
  auto message = codec.encode(Vector{1, -4, 3, 2});
  auto sent = codec.decode(message);
  EXPECT_THAT(sent.indices, ElementsAre(1, 2));
  EXPECT_THAT(sent.values, ElementsAre(-4, 3));
  auto beyond = message;
  beyond[4] = std::byte{4};  // the second index
  EXPECT_THROW(codec.decode(beyond), InputError);
  auto twice = message;
  twice[4] = std::byte{1};
  EXPECT_THROW(codec.decode(twice), InputError);
}

// Mem-SGD by hand: what is not sent grows by the gradient in every step; of equal entries the lower goes.
TEST(TopK, SendsWhatTheMemoryHasGathered) {
  UnitRun run(R"({"name": "topk", "density": 0.25})", 1, one_tensor({8}));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(0, 0, 2, 0, 0, 0, -3, 0));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(0, 0, 0, 0, 0, 3, -3, 0));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(0, -3, 4, 0, 0, 0, 0, 0));
}

// Of a bucket of two tensors the larger entries, wherever they are.
TEST(TopK, ChoosesWithinItsScope) {
  Bucket bucket{0, {{0, "a", {4}, "bias"}, {1, "b", {4}, "bias"}}};
  UnitRun run(R"({"name": "topk", "density": 0.25, "scope": "bucket"})", 1, bucket);
  EXPECT_THAT(run.step({{1, 1, 1, 1, 5, 1, 6, 1}}).average, ElementsAre(0, 0, 0, 0, 5, 0, 6, 0));
  EXPECT_EQ(make_compressor(R"({"name": "topk", "density": 1, "scope": "model"})")->coupling(),
            Coupling::model);
}

}  // namespace
}  // namespace traincast
