// One learner with the mean gradient and the mean memory stands for all, for methods that are linear.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compressor_examples.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using Error = ErrorRule::Error;

std::vector<const char*> linear_examples() {
  std::vector<const char*> linear;
  for (const char* json : kMethodExamples)
    if (make_compressor(json)->linear()) linear.push_back(json);
  return linear;
}

TEST(MeanMemory, SufficesForEveryLinearMethod) {
  constexpr std::uint32_t kLearners = 5;
  ASSERT_GE(linear_examples().size(), 10u);
  for (const char* json : linear_examples())
    for (const auto& shape : {std::vector<std::int64_t>{31}, {14, 9}, {6, 5, 3}})
      for (Error error : {Error::none, Error::local, Error::global}) {
        const std::uint64_t numel = one_tensor(shape).numel();
        UnitRun each(json, kLearners, one_tensor(shape), ErrorRule{error, 1});
        UnitRun mean(json, kLearners, one_tensor(shape), ErrorRule{error, 1}, 1, Memories::mean);
        for (std::uint64_t t = 0; t < 4; ++t) {
          auto gradients = random_gradients(kLearners, numel, t);
          auto plain = each.step(gradients), quick = mean.step(gradients);
          EXPECT_EQ(plain.phases, quick.phases) << json;
          ASSERT_EQ(quick.seconds.size(), plain.seconds.size());
          for (const PhaseSeconds& seconds : quick.seconds)
            for (const auto& by_learner : seconds.each) EXPECT_EQ(by_learner.size(), kLearners);
          Vector memory(mean.memory(0).size(), 0.0f);
          for (LearnerId learner = 0; learner < kLearners; ++learner) {
            Vector own = each.memory(learner);
            ASSERT_EQ(own.size(), memory.size()) << json;
            for (std::size_t i = 0; i < own.size(); ++i) memory[i] += own[i] / kLearners;
          }
          for (std::size_t i = 0; i < numel; ++i)
            ASSERT_NEAR(quick.average[i], plain.average[i], 1e-3) << json << " step " << t;
          for (std::size_t i = 0; i < memory.size(); ++i)
            ASSERT_NEAR(mean.memory(kLearners - 1)[i], memory[i], 1e-3) << json << " step " << t;
        }
      }
}

// The momentum of a mean is the mean of momenta, before compression, and after it anyway.
TEST(MeanMemory, CarriesMomenta) {
  constexpr std::uint32_t kLearners = 5;
  using Kind = MomentumRule::Kind;
  for (Kind kind : {Kind::averaged, Kind::heavy_ball, Kind::nesterov})
    for (bool before : {true, false}) {
      ErrorRule rule{Error::local, 1};
      (before ? rule.momentum_before : rule.momentum_after) = MomentumRule{kind, 0.8f};
      const char* json = R"({"name": "powersgd", "rank": 2})";
      UnitRun each(json, kLearners, one_tensor({14, 9}), rule);
      UnitRun mean(json, kLearners, one_tensor({14, 9}), rule, 1, Memories::mean);
      for (std::uint64_t t = 0; t < 5; ++t) {
        if (t == 3) {  // the momenta are saved too
          UnitRun again(json, kLearners, one_tensor({14, 9}), rule, 1, Memories::mean);
          again.load(mean.save());
          mean = std::move(again);
        }
        auto gradients = random_gradients(kLearners, 126, t);
        auto plain = each.step(gradients), quick = mean.step(gradients);
        EXPECT_EQ(plain.phases, quick.phases);
        for (std::size_t i = 0; i < 126; ++i) ASSERT_NEAR(quick.average[i], plain.average[i], 1e-3) << t;
      }
    }
}

class CountedGradients final : public GradientSource {
 public:
  void read(LearnerId learner, std::span<float> into) const override {
    ++reads;
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<float>((learner + 3 * i) % 7) - 3;
  }
  mutable std::size_t reads = 0;
};

// Time and memory beyond it are those of one learner.
TEST(MeanMemory, ReadsEveryGradientOnce) {
  constexpr std::uint32_t kLearners = 40;
  std::vector<LearnerId> ids(kLearners);
  std::iota(ids.begin(), ids.end(), LearnerId{0});
  Bucket unit = one_tensor({30, 20});
  ErrorFeedback feedback(make_compressor(R"({"name": "powersgd", "rank": 2})"), {Error::global, 1}, kLearners,
                         unit.numel(), Memories::mean);
  CountedGradients gradients;
  Vector average(unit.numel());
  Group group(kLearners);
  feedback.aggregate({.index = 0, .learners = ids}, unit, gradients, group, average);
  EXPECT_EQ(gradients.reads, kLearners);
  Writer state;
  feedback.save(state);
  EXPECT_EQ(state.bytes().size(), 8 + 4 * 600u + 8 + 4 * 40u) << "one memory, and Q";
}

TEST(MeanMemory, IsRefusedToMethodsThatSelect) {
  EXPECT_THROW(ErrorFeedback(make_compressor(R"({"name": "topk", "density": 0.1})"), {Error::local, 1}, 2, 10,
                             Memories::mean),
               std::logic_error);
}

}  // namespace
}  // namespace traincast
