#include "compressors/group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/fake_clock.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

std::vector<Phase> phases_of(std::initializer_list<Phase> phases) { return phases; }
Op all_reduce_of(std::uint64_t count, std::uint32_t learners) {
  Op op;
  op.count = count;
  op.value_bytes = 4 * count * learners;
  return op;
}
Work pass(std::uint64_t n, std::uint32_t count = 1) {
  Work work{Primitive::elementwise, {n, 0, 0}};
  work.count = count;
  return work;
}

TEST(Group, SumsInLearnerOrder) {
  Group group(3);
  std::vector<float> sum(1, 9.0f);
  // (1e8 + 1) − 1e8 is 0 in floats; in any other order it is 1.
  float parts[] = {1e8f, 1.0f, -1e8f};
  group.all_reduce(Element::fp32, sum, {pass(1)}, [&](LearnerId i, std::span<float> out) {
    EXPECT_EQ(out[0], 0.0f);
    out[0] = parts[i];
  });
  EXPECT_EQ(sum[0], 0.0f);
  ASSERT_EQ(group.phases().size(), 1u);
  EXPECT_EQ(group.phases()[0], (Phase{{pass(1)}, all_reduce_of(1, 3)}));
}

TEST(Group, RoundsEveryPartialSumOfBf16) {
  Group group(3);
  std::vector<float> sum(1);
  // Next to 256, bf16 values are 2 apart: 256 + 1 is a tie and rounds to the even 256, twice.
  float parts[] = {256.0f, 1.0f, 1.0f};
  group.all_reduce(Element::bf16, sum, {}, [&](LearnerId i, std::span<float> out) { out[0] = parts[i]; });
  EXPECT_EQ(sum[0], 256.0f);
  EXPECT_EQ(group.phases()[0].op->value_bytes, 2u * 3);
  EXPECT_EQ(group.phases()[0].op->contributed(3), 2u * 3);
}

TEST(Group, CountsGatheredMessagesByTheirLength) {
  Group group(3);
  auto messages = group.all_gather({}, [](LearnerId i, Bytes& value_bytes) {
    value_bytes = 5 * i;
    return Message(10 * i);
  });
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[2].size(), 20u);
  const Op& op = *group.phases()[0].op;
  EXPECT_EQ(op.word, Word::all_gather);
  EXPECT_THAT(op.bytes, ElementsAre(0, 10, 20));
  EXPECT_EQ(op.value_bytes, 15u);
}

TEST(Group, RecordsBroadcastsWithoutGradientValues) {
  Group group(4);
  group.phase(2);
  group.broadcast(3, 17);
  ASSERT_EQ(group.phases().size(), 3u);
  EXPECT_EQ(group.phases()[0], Phase{});
  EXPECT_EQ(group.phases()[1], Phase{});
  const Op& op = *group.phases()[2].op;
  EXPECT_EQ(op.root, 3u);
  EXPECT_THAT(op.bytes, ElementsAre(17));
  EXPECT_EQ(op.value_bytes, 0u);
}

TEST(Group, ChargesEachOnceAndOnlyOne) {
  Group group(3, 0, FakeClock::seconds);
  std::vector<LearnerId> order;
  group.each(Stage::encode, {pass(5)}, [&](LearnerId i) {
    order.push_back(i);
    FakeClock::pass(i == 1 ? 5 : 0);
  });
  group.once(Stage::decode, {pass(6)}, [] { FakeClock::pass(6); });
  group.at(2, Stage::encode, {pass(7)}, [] { FakeClock::pass(7); });
  EXPECT_THAT(order, ElementsAre(0, 1, 2));

  Work decode = pass(6), only = pass(7);
  decode.stage = Stage::decode;
  only.only = 2;
  EXPECT_THAT(group.phases()[0].work, ElementsAre(pass(5), decode, only));

  const PhaseSeconds& seconds = group.seconds()[0];
  EXPECT_THAT(seconds.each[0], ElementsAre(0.0, 5.0, 7.0));
  EXPECT_EQ(seconds.once[1], 6.0);
  EXPECT_EQ(seconds.once[0], 0.0);
  EXPECT_THAT(seconds.each[1], ElementsAre(0.0, 0.0, 0.0));
}

TEST(Group, TakesExcludedTimeOutOfTheWorkAroundIt) {
  Group group(3, 0, FakeClock::seconds);
  const double excluded[] = {1000, 0, 3};
  group.each(Stage::encode, {}, [&](LearnerId i) {
    FakeClock::pass(5);
    group.exclude(excluded[i]);
  });
  EXPECT_THAT(group.seconds()[0].each[0], ElementsAre(0.0, 5.0, 2.0));
}

TEST(Group, RefusesTwoCollectivesInOnePhase) {
  Group group(2);
  group.broadcast(0, 1);
  EXPECT_THROW(group.broadcast(0, 1), std::logic_error);
}

TEST(Fuse, AddsUpCollectivesAndMergesEqualWork) {
  auto first = phases_of({{{pass(5), pass(6)}, all_reduce_of(10, 2)}});
  auto second = phases_of({{{pass(6, 2), pass(7)}, all_reduce_of(3, 2)}, {{pass(1)}, {}}});
  std::vector<std::vector<Phase>> units = {first, second};
  BucketExchange bucket = fuse(units);
  ASSERT_EQ(bucket.phases.size(), 2u);
  EXPECT_EQ(bucket.phases[0], (Phase{{pass(5), pass(6, 3), pass(7)}, all_reduce_of(13, 2)}));
  EXPECT_EQ(bucket.phases[1], (Phase{{pass(1)}, {}}));
}

TEST(Fuse, KeepsThePhasesInWhichNothingHappened) {
  std::vector<std::vector<Phase>> units = {
      phases_of({{{}, all_reduce_of(4, 1)}, {}, {{}, all_reduce_of(2, 1)}})};
  EXPECT_EQ(fuse(units).phases, units[0]);
  EXPECT_TRUE(fuse({}).phases.empty());
}

TEST(Fuse, AddsMessagesLearnerByLearner) {
  Op gather, broadcast;
  gather.word = Word::all_gather;
  gather.bytes = {1, 2};
  gather.value_bytes = 3;
  broadcast.word = Word::broadcast;
  broadcast.bytes = {5};
  broadcast.root = 1;
  auto unit = phases_of({{{}, gather}, {{}, broadcast}});
  std::vector<std::vector<Phase>> units = {unit, unit};
  auto bucket = fuse(units);
  EXPECT_THAT(bucket.phases[0].op->bytes, ElementsAre(2, 4));
  EXPECT_EQ(bucket.phases[0].op->value_bytes, 6u);
  EXPECT_THAT(bucket.phases[1].op->bytes, ElementsAre(10));
  EXPECT_EQ(bucket.phases[1].op->root, 1u);
}

// Several methods under one policy: what cannot be one collective is several, the work before the first.
TEST(Fuse, PutsDifferentCollectivesOfOnePhaseOneBehindTheOther) {
  Op sum = all_reduce_of(1, 2), half = sum, free = sum, gather, root0, root1;
  half.element = Element::bf16;
  free.waits = false;
  gather.word = Word::all_gather;
  gather.bytes = {1, 1};
  root0.word = root1.word = Word::broadcast;
  root0.bytes = root1.bytes = {1};
  root1.root = 1;
  std::vector<std::pair<Op, Op>> pairs = {{sum, half}, {sum, free}, {sum, gather}, {root0, root1}};
  for (const auto& [first, second] : pairs) {
    std::vector<std::vector<Phase>> units = {phases_of({{{pass(1)}, first}, {{pass(2)}, {}}}),
                                             phases_of({{{pass(3)}, second}, {{pass(4)}, {}}}),
                                             phases_of({{{}, first}})};
    Op twice = first;
    twice.count *= 2;
    twice.value_bytes *= 2;
    for (Bytes& bytes : twice.bytes) bytes *= 2;
    EXPECT_EQ(fuse(units).phases,
              phases_of({{{pass(1), pass(3)}, twice}, {{}, second}, {{pass(2), pass(4)}, {}}}));
  }
}

TEST(FuseSeconds, AddsWhatFuseJoins) {
  PhaseSeconds a, b;
  a.each[0] = {1, 2};
  a.each[1] = {0, 0};
  a.once[1] = 3;
  b.each[0] = {10, 20};
  b.each[1] = {5, 0};
  b.once[0] = 7;
  Op gather;
  gather.word = Word::all_gather;
  gather.bytes = {1, 1};
  std::vector<std::vector<Phase>> units = {phases_of({{{}, gather}}),
                                           phases_of({{{}, gather}, {{}, all_reduce_of(1, 2)}})};
  std::vector<std::vector<PhaseSeconds>> seconds = {{a}, {a, b}};
  auto bucket = fuse_seconds(units, seconds);
  ASSERT_EQ(bucket.size(), 2u);
  EXPECT_THAT(bucket[0].each[0], ElementsAre(2, 4));
  EXPECT_EQ(bucket[0].once[1], 6);
  EXPECT_THAT(bucket[1].each[0], ElementsAre(10, 20));
  EXPECT_THAT(bucket[1].each[1], ElementsAre(5, 0));
  EXPECT_EQ(bucket[1].once[0], 7);

  // As many phases as collectives, the further ones without work.
  units[0][0].op = all_reduce_of(1, 2);
  bucket = fuse_seconds(units, seconds);
  ASSERT_EQ(bucket.size(), fuse(units).phases.size());
  ASSERT_EQ(bucket.size(), 3u);
  EXPECT_THAT(bucket[0].each[0], ElementsAre(2, 4));
  EXPECT_THAT(bucket[1].each[0], ElementsAre(0, 0));
  EXPECT_THAT(bucket[2].each[0], ElementsAre(10, 20));
}

}  // namespace
}  // namespace traincast
