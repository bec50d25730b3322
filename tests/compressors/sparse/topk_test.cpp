#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/methods.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast::testing {
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
  Work decode{Primitive::scatter, {1000, 40, 0}};
  decode.stage = Stage::decode;
  EXPECT_THAT(result.phases[1].work, ElementsAre(decode));
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
  auto codec = topk_codec(0.5);
  auto message = codec->encode(Vector{1, -4, 3, 2});
  auto sent = codec->decode(message, 4);
  EXPECT_THAT(sent.indices, ElementsAre(1, 2));
  EXPECT_THAT(sent.values, ElementsAre(-4, 3));
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_THROW(codec->decode(std::span(message).first(size), 4), InputError);
  auto longer = message;
  longer.resize(24);
  EXPECT_THROW(codec->decode(longer, 4), InputError);
  auto beyond = message;
  beyond[4] = std::byte{4};  // the second index
  EXPECT_THROW(codec->decode(beyond, 4), InputError);
  auto twice = message;
  twice[4] = std::byte{1};
  EXPECT_THROW(codec->decode(twice, 4), InputError);
}

TEST(TopK, CodecGivesASparseVectorOrAnErrorForAnyBytes) {
  auto codec = topk_codec(0.1);
  auto gradients = random_gradients(1, 100)[0];
  auto message = codec->encode(gradients);
  RandomStream random({.seed = 9});
  int refused = 0, accepted = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    auto damaged = message;
    damaged[random.below(damaged.size())] ^= std::byte(1u << random.below(8));
    Vector into(100, 0.0f);
    try {
      Decoded decoded = codec->decode(damaged, 100);
      decoded.add_to(into);
      ++accepted;
      EXPECT_EQ(decoded.indices.size(), 10u);
      EXPECT_TRUE(std::is_sorted(decoded.indices.begin(), decoded.indices.end()));
      EXPECT_LT(decoded.indices.back(), 100u);
    } catch (const InputError&) {
      ++refused;
    }
  }
  // Half of the bits are indices, most of whose changes break their order or leave the vector; values may be
  // anything.
  EXPECT_GT(refused, 600);
  EXPECT_GT(accepted, 600);
}

}  // namespace
}  // namespace traincast::testing
