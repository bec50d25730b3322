#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

// Two learners pad eight elements to sixteen: s = ‖g‖₂/√16 = 1.0179060921813956, not ‖g‖₂/√8; zero counts as
// positive. The memory is what is left.
TEST(OneBitAdam, HasAScaleThatPaddingDilutes) {
  UnitRun run(R"({"name": "onebit_adam", "beta1": 0})", 2, one_tensor({8}));
  run.step({kGolden, kGolden});
  constexpr float s = 1.0179060921813956f;
  Vector left;
  for (float value : kGolden) left.push_back(value - (value >= 0 ? s : -s));
  EXPECT_THAT(run.memory(0), Pointwise(FloatNear(1e-6f), left));
  EXPECT_EQ(run.memory(0), run.memory(1));
}

// Both send the same signs at s; the owner of the first chunk has eight elements ±s, whose scale is s again,
// the owner of the second eight positive zeros' worth of s: all get ±s.
TEST(OneBitAdam, AgreesOnWhatAllSentAlike) {
  UnitRun run(R"({"name": "onebit_adam", "beta1": 0})", 2, one_tensor({8}));
  Vector expected;
  for (float value : kGolden) expected.push_back(value >= 0 ? 1.0179060921813956f : -1.0179060921813956f);
  EXPECT_THAT(run.step({kGolden, kGolden}).average, Pointwise(FloatNear(1e-6f), expected));
}

// g and −g on one chunk each of 4 learners: means are 0 or s/2 …; worked through for one element: learners
// send +s₁ and −s₂, the owner holds their mean, sends its own scale with its sign, and keeps the difference.
TEST(OneBitAdam, KeepsAtTheOwnerWhatItsAnswerLeavesOut) {
  // Padded to 2·8 = 16 elements: all but one are zeros, of which each counts as +.
  UnitRun run(R"({"name": "onebit_adam", "beta1": 0})", 2, one_tensor({1}));
  const double s1 = 4 / 4.0, s2 = 8 / 4.0;  // ‖(4, 0 …)‖/√16, ‖(−8, 0 …)‖/√16
  // The first chunk's mean: (s1 − s2)/2, then seven times (s1 + s2)/2.
  const double answer = std::sqrt(((s1 - s2) * (s1 - s2) + 7 * (s1 + s2) * (s1 + s2)) / 4 / 8);
  EXPECT_NEAR(run.step({{4}, {-8}}).average[0], -answer, 1e-6);
  // Memories now: 4 − s1, −8 + s2 and the owner's (s1 − s2)/2 + answer; at the padded places −s1, −s2 and
  // (s1 + s2)/2 − answer. With gradients of zero these are compressed again.
  const double e1 = 4 - s1, e2 = -8 + s2;
  const double t1 = std::sqrt((e1 * e1 + 15 * s1 * s1) / 16), t2 = std::sqrt((e2 * e2 + 15 * s2 * s2) / 16);
  const double first = (t1 - t2) / 2 + (s1 - s2) / 2 + answer,
               others = -(t1 + t2) / 2 + (s1 + s2) / 2 - answer;
  const double scale = std::sqrt((first * first + 7 * others * others) / 8);
  EXPECT_NEAR(run.step({{0}, {0}}).average[0], first >= 0 ? scale : -scale, 1e-6);
}

// 2(N − 1)/N · D/8 + 8(N − 1) bytes a learner, D being a multiple of 256 for 16 learners (11,174,144 for
// ResNet-18's 11,173,962 parameters, so that each sends 2,619,060 bytes).
TEST(OneBitAdam, SendsTheBytesOfTheCompressedAllReduce) {
  constexpr std::uint64_t kLearners = 16;
  auto sent = [](std::int64_t numel) {
    UnitRun run(R"({"name": "onebit_adam"})", kLearners, one_tensor({numel}));
    std::uint64_t bytes = 0;
    for (const Phase& phase :
         run.step(Vectors(kLearners, Vector(static_cast<std::size_t>(numel), 1.0f))).phases)
      if (phase.op) bytes += (kLearners - 1) * phase.op->bytes.at(0);
    return bytes;
  };
  // D/8 in each direction, a chunk of it stays; two scales of four bytes to every other learner.
  EXPECT_EQ(sent(256), 2 * 15 * 256 / 8 / 16 + 8 * 15u);
  EXPECT_EQ(sent(257), 2 * 15 * 512 / 8 / 16 + 8 * 15u);
  EXPECT_EQ(sent(111'739), 2 * 15 * 111'872 / 8 / 16 + 8 * 15u);
}

TEST(OneBitAdam, SendsOneBitAnElementInFourCollectives) {
  UnitRun run(R"({"name": "onebit_adam"})", 4, one_tensor({320}));
  auto phases = run.step(random_gradients(4, 320)).phases;
  ASSERT_EQ(phases.size(), 5u);
  EXPECT_EQ(phases[0].op->word, Word::all_to_all);
  EXPECT_EQ(phases[0].op->bytes, std::vector<Bytes>{10});
  EXPECT_EQ(phases[0].op->contributed(4), phases[0].op->value_bytes);
  for (int p : {1, 2, 3}) EXPECT_EQ(phases[static_cast<std::size_t>(p)].op->word, Word::all_gather);
  EXPECT_EQ(phases[2].op->bytes, std::vector<Bytes>(4, 10));
  EXPECT_FALSE(phases[4].op);
}

// m ← ½m + ½ḡ with everybody's mean, then the compressed average of ½m + ½g takes its place.
TEST(OneBitAdam, AveragesDenselyWhileItWarmsUp) {
  UnitRun run(R"({"name": "onebit_adam", "warmup": 2, "beta1": 0.5})", 2, one_tensor({3}));
  EXPECT_EQ(run.step({{2, 4, 0}, {6, 0, 0}}).average, (Vector{2, 1, 0}));
  auto second = run.step({{0, 2, 4}, {0, 0, 4}});
  EXPECT_EQ(second.average, (Vector{1, 1, 2}));
  EXPECT_EQ(second.phases[0].op->word, Word::all_reduce);
  EXPECT_EQ(second.phases[0].op->count, 3u);
  EXPECT_EQ(run.step({{0, 0, 0}, {0, 0, 0}}).phases[0].op->word, Word::all_to_all);
}

// Every learner sends the same momentum: what the average misses at first comes with later steps.
TEST(OneBitAdam, LosesNothingForEver) {
  UnitRun run(R"({"name": "onebit_adam", "beta1": 0})", 2, one_tensor({16}));
  auto gradients = random_gradients(1, 16);
  Vector sum(16);
  constexpr int kSteps = 4000;
  for (int step = 0; step < kSteps; ++step) {
    auto average = run.step({gradients[0], gradients[0]}).average;
    for (std::size_t i = 0; i < 16; ++i) sum[i] += average[i] / kSteps;
  }
  EXPECT_THAT(sum, Pointwise(FloatNear(0.05f), gradients[0]));
}

TEST(OneBitAdam, RefusesTheStateOfAnotherTensor) {
  UnitRun eight(R"({"name": "onebit_adam"})", 2, one_tensor({8})),
      nine(R"({"name": "onebit_adam"})", 2, one_tensor({9}));
  eight.step(random_gradients(2, 8));
  nine.load(eight.save());
  EXPECT_THROW(nine.step(random_gradients(2, 9)), InputError);
}

}  // namespace
}  // namespace traincast
