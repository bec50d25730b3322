// SASG and LASG: their degenerate cases, who uploads, and what that costs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/training/training_run.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

const std::string kWorkload = R"("steps": 8, "workload": {"name": "mlp", "hidden": [8], "batch": 4,
    "samples_per_learner": 12, "learning_rate": 0.02, "momentum": 0}, )";

TrainingRun trained_by_uploads(const std::string& algorithm, const std::string& more = "",
                               unsigned threads = 1, const std::filesystem::path& checkpoint = {},
                               const std::function<void(std::uint64_t)>& progress = {}) {
  return QuickTraining{
      kWorkload + R"("training": {"evaluation_samples": 40, "evaluate_every": 1, )" + algorithm + "}" + more,
      threads, checkpoint, progress}
      .run();
}

// But for what additions in another order round: 1e-6 of a loss, eight steps from the start.
void expect_same_curve(const TrainingRun& a, const TrainingRun& b) {
  ASSERT_EQ(a.curve.size(), b.curve.size());
  for (std::size_t i = 0; i < a.curve.size(); ++i)
    EXPECT_NEAR(a.curve[i].held_out.loss, b.curve[i].held_out.loss, 1e-6 * a.curve[i].held_out.loss)
        << "evaluation " << i;
}

std::vector<double> losses_of(const TrainingRun& run) {
  std::vector<double> all;
  for (const Evaluated& at : run.curve) all.push_back(at.held_out.loss);
  return all;
}

const std::string kTopk = R"(, "compressor": {"name": "topk", "density": 0.05})";

TEST(Sasg, ThatAlwaysUploadsIsTopkSgdWithMemory) {
  TrainingRun sasg = trained_by_uploads(R"("name": "sasg", "alpha": 0)", kTopk);
  TrainingRun topk =
      trained_by_uploads(R"("name": "sync_sgd")", kTopk + R"(, "error_feedback": {"units": "updates"})");
  expect_same_curve(sasg, topk);
  EXPECT_EQ(sasg.curve.back().uploads, 8u * 3);
  for (std::size_t s = 0; s < 8; ++s) {
    Bytes pushed = 0, gathered = 0;
    for (const BucketExchange& bucket : sasg.exchange.steps[s].buckets)
      pushed += bucket.phases[1].op->contributed(3);
    for (const BucketExchange& bucket : topk.exchange.steps[s].buckets)
      gathered += bucket.phases[0].op->contributed(3);
    EXPECT_EQ(pushed, gathered) << "the same messages";
  }
}

TEST(Sasg, OfEverythingIsLasg) {
  for (const char* rule : {R"(, "rule": "lasg", "alpha": 20)", R"(, "rule": "lag", "alpha": 20)"}) {
    TrainingRun lasg = trained_by_uploads(std::string(R"("name": "lasg")") + rule);
    TrainingRun sasg = trained_by_uploads(std::string(R"("name": "sasg")") + rule,
                                          R"(, "compressor": {"name": "topk", "density": 1})");
    EXPECT_EQ(losses_of(sasg), losses_of(lasg)) << "to the bit";
    EXPECT_EQ(sasg.curve.back().uploads, lasg.curve.back().uploads);
    EXPECT_LT(sasg.curve.back().uploads, 8u * 3) << "with learners that skip";
  }
}

TEST(Lasg, ThatAlwaysUploadsIsPlainSgd) {
  expect_same_curve(trained_by_uploads(R"("name": "lasg", "alpha": 0)"),
                    trained_by_uploads(R"("name": "sync_sgd")"));
}

TEST(Sasg, ThatAlwaysUploadsEverythingIsPlainSgd) {
  expect_same_curve(trained_by_uploads(R"("name": "sasg", "alpha": 0)",
                                       R"(, "compressor": {"name": "topk", "density": 1})"),
                    trained_by_uploads(R"("name": "sync_sgd")"));
}

std::vector<std::uint64_t> uploads_of(const TrainingRun& run) {
  std::vector<std::uint64_t> uploads;
  for (const Evaluated& at : run.curve) uploads.push_back(at.uploads);
  return uploads;
}

TEST(Lasg, TakesAWeightForEachMove) {
  auto with = [](const std::string& alpha) {
    return trained_by_uploads(R"("name": "lasg", "window": 3, "alpha": )" + alpha);
  };
  EXPECT_EQ(losses_of(with("[500, 500, 500]")), losses_of(with("500")));
  // The latest move alone lets all skip from the second step on, until they have waited three steps. The one
  // three steps back is not there before the fourth step: all upload in three, then skip two.
  EXPECT_EQ(uploads_of(with("[1e30, 0, 0]")), (std::vector<std::uint64_t>{0, 3, 3, 3, 6, 6, 6, 9, 9}));
  EXPECT_EQ(uploads_of(with("[0, 0, 1e30]")), (std::vector<std::uint64_t>{0, 3, 6, 9, 9, 9, 12, 12, 12}));
  EXPECT_EQ(
      refusal([&] { with("[1, 1]"); }),
      "test.json:/training/alpha: must be a number, or a weight for each of the window's 3 moves, got 2");
}

// A bound that nothing exceeds: all upload in the first step, then again only when they have waited D steps.
TEST(Lasg, UploadsAfterAFullWindowInAnyCase) {
  TrainingRun run = trained_by_uploads(R"("name": "lasg", "alpha": 1e30, "window": 3)");
  EXPECT_EQ(uploads_of(run), (std::vector<std::uint64_t>{0, 3, 3, 3, 6, 6, 6, 9, 9}));
  std::vector<Bytes> sent;
  for (const StepRecord& step : run.exchange.steps)
    sent.push_back(step.buckets[0].phases[1].op->contributed(3));
  EXPECT_GT(sent[0], 0u);
  EXPECT_EQ(sent[1], 0u);
  EXPECT_EQ(sent[3], sent[0]);
}

// Between uploads the server applies the same update again: the parameters move on a line.
TEST(Lasg, AppliesOldUploadsAgain) {
  TrainingRun run = trained_by_uploads(R"("name": "lasg", "alpha": 1e30, "window": 8)");
  // Its error against the mean gradient grows from nothing, for the gradient turns and the update does not.
  EXPECT_LT(run.exchange.steps[0].error_square, 1e-9 * run.exchange.steps[0].mean_gradient_square);
  EXPECT_GT(run.exchange.steps[4].error_square, 0.01 * run.exchange.steps[4].mean_gradient_square);
}

TEST(Lasg, SkipsWhereTheGradientHasHardlyChangedOnly) {
  std::uint64_t before = 8 * 3;
  for (const char* alpha : {"0.5", "500", "5e5"}) {
    TrainingRun run = trained_by_uploads(std::string(R"("name": "lasg", "alpha": )") + alpha);
    EXPECT_LE(run.curve.back().uploads, before) << alpha;
    EXPECT_GE(run.curve.back().uploads, 3u);
    before = run.curve.back().uploads;
  }
  EXPECT_LT(before, 8u * 3) << "a large weight lets learners skip";
}

TEST(Lasg, PaysForTheSecondGradient) {
  for (const StepRecord& step : trained_by_uploads(R"("name": "lasg", "rule": "lag")").exchange.steps)
    EXPECT_EQ(step.passes, 1u);
  TrainingRun run = trained_by_uploads(R"("name": "lasg")");
  EXPECT_EQ(run.exchange.steps[0].passes, 1u) << "there is none to compare with";
  for (std::size_t s = 1; s < 8; ++s) {
    EXPECT_EQ(run.exchange.steps[s].passes, 2u);
    EXPECT_TRUE(run.exchange.steps[s].after_backward);
  }
}

TEST(Sasg, IsRefusedWhereTheRateWouldBeZeroWithinTheRun) {
  auto read = [](const std::string& name, const std::string& steps) {
    training_plan("\"training\": \"" + name + "\", \"steps\": " + steps + R"(, "workload": {"name": "mlp",
        "hidden": [8], "batch": 4, "samples_per_learner": 12, "momentum": 0,
        "schedule": {"name": "cosine", "length": 8}})");
  };
  EXPECT_EQ(refusal([&] { read("sasg", "10"); }),
            "test.json:/workload/schedule: is 0 from step 8 of 10 on, and 'sasg' divides moves of the "
            "parameters by the rate: it must stay above 0 to the last step");
  EXPECT_NO_THROW(read("lasg", "8"));
  EXPECT_NO_THROW(read("sync_sgd", "10"));
}

TEST(Sasg, GoesOnFromACheckpointToTheByte) {
  struct Stop {};
  auto losses = [](const TrainingRun& run) {
    std::vector<double> all;
    for (const Evaluated& at : run.curve) all.push_back(at.held_out.loss);
    for (const StepRecord& step : run.exchange.steps) all.push_back(step.memory_square);
    return all;
  };
  for (const char* rule : {"lasg", "lag"}) {
    std::string algorithm = std::string(R"("name": "sasg", "alpha": 500, "rule": ")") + rule + "\"";
    TrainingRun whole = trained_by_uploads(algorithm, kTopk);
    ScratchFolder folder;
    EXPECT_THROW(trained_by_uploads(algorithm, kTopk, 1, folder.path(),
                                    [](std::uint64_t done) {
                                      if (done == 5) throw Stop{};
                                    }),
                 Stop);
    EXPECT_EQ(losses(trained_by_uploads(algorithm, kTopk, 2, folder.path())), losses(whole)) << rule;
  }
}

}  // namespace
}  // namespace traincast
