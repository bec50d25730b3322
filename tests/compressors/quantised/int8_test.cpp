#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Range −3 … 2: a step of 5 / 255 and zero at 153.
TEST(Int8, RoundsToTheNearestStep) {
  CodecRun codec(R"({"name": "int8"})");
  auto message = codec.encode(kGolden);
  ASSERT_EQ(message.size(), 16u);
  EXPECT_NEAR(float_at(message, 0), 5.0 / 255, 1e-9);
  EXPECT_EQ(float_at(message, 4), 153);
  auto sent = codec.sent(kGolden);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(sent[i], kGolden[i], 2.5 / 255 + 1e-6);
  EXPECT_EQ(sent[4], 0) << "zero stays zero";
}

TEST(Int8, PadsChannelsAsTheHookDoes) {
  auto bytes = [](const char* json, std::uint64_t numel) {
    return CodecRun(json, one_tensor({static_cast<std::int64_t>(numel)})).encode(Vector(numel, 1)).size();
  };
  const char* plain = R"({"name": "int8", "per": "channel"})";
  const char* hook = R"({"name": "int8", "per": "channel", "padding": "hook"})";
  EXPECT_EQ(bytes(plain, 1024), 2 * 8 + 1024u);
  EXPECT_EQ(bytes(hook, 1024), 3 * 8 + 1536u) << "a whole channel more where none is broken";
  EXPECT_EQ(bytes(plain, 1000), 2 * 8 + 1000u);
  EXPECT_EQ(bytes(hook, 1000), 2 * 8 + 1024u);
}

TEST(Int8, RefusesWhatOneScaleForAllHasNoUseFor) {
  EXPECT_THROW(make_compressor(R"({"name": "int8", "channel": 64})"), InputError);
  EXPECT_THROW(make_compressor(R"({"name": "int8", "padding": "hook"})"), InputError);
}

// The hooks see a bucket as one vector.
TEST(Int8, HasOneScaleForABucketWhereAsked) {
  Bucket bucket{0, {{0, "a", {5, 8}, "linear.weight"}, {1, "b", {3}, "bias"}}};
  UnitRun run(R"({"name": "int8", "scope": "bucket"})", 2, bucket);
  EXPECT_THAT(run.step(random_gradients(2, 43)).phases[0].op->bytes, ElementsAre(51, 51));
}

TEST(Int8, TakesTheWidestRange) {
  CodecRun codec(R"({"name": "int8"})", one_tensor({2}));
  auto sent = codec.sent({3e38f, -3e38f});
  EXPECT_NEAR(sent[0] / 3e38f, 1, 0.01);
  EXPECT_NEAR(sent[1] / 3e38f, -1, 0.01);
}

}  // namespace
}  // namespace traincast
