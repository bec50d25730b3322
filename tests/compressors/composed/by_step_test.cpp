#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::HasSubstr;

TEST(ByStep, IsDenseForTheFirstStepsThenItsMethodAlone) {
  UnitRun run(R"({"name": "by_step", "stages": [{"compressor": "none"},
                  {"from": 2, "compressor": {"name": "topk", "density": 0.25}}]})",
              2, one_tensor({8}));
  UnitRun alone(R"({"name": "topk", "density": 0.25})", 2, one_tensor({8}));
  for (std::uint64_t step = 0; step < 5; ++step) {
    auto gradients = random_gradients(2, 8, step);
    auto seen = run.step(gradients);
    if (step < 2) {
      for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(seen.average[i], (gradients[0][i] + gradients[1][i]) / 2);
      EXPECT_THAT(run.memory(0), ::testing::Each(0.0f));
      continue;
    }
    auto expected = alone.step(gradients);  // its memory is fresh then, as that of a dense warm-up is
    EXPECT_EQ(seen.average, expected.average);
    EXPECT_EQ(seen.phases, expected.phases);
    EXPECT_EQ(run.memory(1), alone.memory(1));
  }
}

// Lin et al. 2018, section 3.3: what was not sent at one rate is sent at the next.
TEST(ByStep, KeepsTheErrorMemoryFromStageToStage) {
  UnitRun run(R"({"name": "by_step", "stages": [
                  {"compressor": {"name": "topk", "density": 0.25}},
                  {"from": 1, "compressor": {"name": "topk", "density": 0.5}}]})",
              1, one_tensor({4}));
  run.step({{4, 3, 2, 1}});
  EXPECT_THAT(run.memory(0), ::testing::ElementsAre(0, 3, 2, 1));
  EXPECT_THAT(run.step({{1, 1, 1, 1}}).average, ::testing::ElementsAre(0, 4, 3, 0));
  EXPECT_THAT(run.memory(0), ::testing::ElementsAre(1, 0, 0, 2));
}

TEST(ByStep, NumbersItsStages) {
  auto policy = make_compressor(R"({"name": "by_step", "stages": [{"compressor": "none"},
      {"from": 3, "compressor": {"name": "topk", "density": 0.5}},
      {"from": 9, "compressor": {"name": "topk", "density": 0.1}}]})");
  std::vector<std::uint32_t> regimes;
  for (std::uint64_t step : {0u, 2u, 3u, 8u, 9u, 1000u})
    regimes.push_back(policy->regime({.index = step, .learners = {}}));
  EXPECT_THAT(regimes, ::testing::ElementsAre(0, 0, 1, 1, 2, 2));
  // DGC's warm-up by epoch, in five epochs.
  auto dgc = make_compressor(R"({"name": "dgc", "density": 0.001, "warmup_epochs": 5})");
  EXPECT_EQ(dgc->regime({.epoch = 0.5, .learners = {}}), 0u);
  EXPECT_EQ(dgc->regime({.epoch = 4.5, .learners = {}}), 4u);
  EXPECT_EQ(dgc->regime({.epoch = 7, .learners = {}}), 5u);
  // Dense first steps, which neither sizes nor codec times may be taken from.
  for (const char* method :
       {R"({"name": "onebit_adam", "warmup": 2})", R"({"name": "powersgd_hook", "start_powersgd_iter": 2})",
        R"({"name": "powersgd_alternating", "rank": 1, "start_compressing_after_num_steps": 2})"}) {
    auto dense_first = make_compressor(method);
    EXPECT_LT(dense_first->regime({.index = 1, .learners = {}}),
              dense_first->regime({.index = 2, .learners = {}}))
        << method;
  }
  // One after a warm-up: what comes then is like nothing before.
  auto both = make_compressor(R"({"name": "by_step", "stages": [
      {"compressor": {"name": "dgc", "density": 0.001, "warmup_epochs": 1}},
      {"from": 20, "compressor": {"name": "dgc", "density": 0.01}}]})");
  regimes.clear();
  for (auto [step, epoch] : {std::pair{5u, 0.5}, {15u, 1.5}, {25u, 2.5}})
    regimes.push_back(both->regime({.index = step, .epoch = epoch, .learners = {}}));
  EXPECT_THAT(regimes, ::testing::ElementsAre(0, 1, 2));
}

TEST(ByStep, RefusesStagesThatDoNotFollowEachOther) {
  auto refused = [](const char* json) { return refusal([&] { make_compressor(json); }); };
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": []})"), HasSubstr("one stage or more"));
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"from": 1, "compressor": "none"}]})"),
              HasSubstr("test:/stages/0: the first stage begins with step 0"));
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"compressor": "none"}, {"compressor": "fp16"}]})"),
              HasSubstr("test:/stages/1: 'from' must be beyond that of the stage before, 0, got 0"));
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"compressor": {"name": "sign_norm"}},
                          {"from": 1, "compressor": {"name": "topk", "density": 0.1}}]})"),
              HasSubstr("test:/stages/0/compressor: sees tensors where"));
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"compressor": {"name": "dgc", "density": 0.1}},
                          {"from": 1, "compressor": {"name": "topk", "density": 0.1}}]})"),
              HasSubstr("test:/stages/0/compressor: has a memory of its own"));
  // Noise would be remembered, and taken off again.
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"compressor": {"name": "lsg", "rank": 1}},
                          {"from": 1, "compressor": {"name": "topk", "density": 0.1}}]})"),
              HasSubstr("test:/stages/0/compressor: can have no error memory around it"));
  EXPECT_TRUE(
      make_compressor(R"({"name": "by_step", "stages": [{"compressor": {"name": "lsg", "rank": 1}}]})")
          ->forbids_memory());
  const std::string policy = R"({"name": "per_layer", "rules": [{"compressor": "sign_norm"}]})";
  EXPECT_THAT(
      refused((R"({"name": "by_step", "stages": [{"compressor": {"name": "sign_norm"}},
                          {"from": 1, "compressor": )" +
               policy + "}]}")
                  .c_str()),
      HasSubstr("test:/stages/0/compressor: stands beside 'per_layer' with methods that see buckets"));
}

// Rates by layer, and other ones later; a dense warm-up before a policy of any kind.
TEST(ByStep, ChangesPoliciesByLayer) {
  const char* json = R"({"name": "by_step", "stages": [{"compressor": "none"},
      {"from": 1, "compressor": {"name": "per_layer", "rules": [
          {"dimensions": [2], "compressor": {"name": "topk", "density": 0.5}},
          {"compressor": {"name": "topk", "density": 0.25}}]}},
      {"from": 2, "compressor": {"name": "per_layer", "rules": [
          {"dimensions": [2], "compressor": {"name": "topk", "density": 0.125}},
          {"compressor": "fp16"}]}}]})";
  for (const auto& shape : {std::vector<std::int64_t>{2, 4}, {8}}) {
    const bool matrix = shape.size() == 2;
    UnitRun run(json, 2, one_tensor(shape));
    UnitRun rates(matrix ? R"({"name": "by_step", "stages": [{"compressor": "none"},
                               {"from": 1, "compressor": {"name": "topk", "density": 0.5}},
                               {"from": 2, "compressor": {"name": "topk", "density": 0.125}}]})"
                         : R"({"name": "by_step", "stages": [{"compressor": "none"},
                               {"from": 1, "compressor": {"name": "topk", "density": 0.25}},
                               {"from": 2, "compressor": "fp16"}]})",
                  2, one_tensor(shape));
    for (std::uint64_t step = 0; step < 4; ++step) {
      auto gradients = random_gradients(2, 8, step);
      auto seen = run.step(gradients), expected = rates.step(gradients);
      EXPECT_EQ(seen.average, expected.average) << step;
      EXPECT_EQ(seen.phases, expected.phases) << step;
      EXPECT_EQ(run.memory(0), rates.memory(0)) << step;
    }
  }
  make_compressor(R"({"name": "by_step", "stages": [{"compressor": "none"}, {"from": 1, "compressor":
      {"name": "per_layer", "rules": [{"compressor": "sign_norm"}]}}]})");
}

}  // namespace
}  // namespace traincast
