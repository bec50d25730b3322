// Whole runs with training in the loop, as 'traincast run' makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/point_report.hpp"
#include "simulator/report_runner.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

Json report_of(const std::string& members, unsigned threads = 1) {
  RunOptions options;
  options.threads = threads;
  return report_runner(options)(training_scenario(members), "test.json");
}

const std::string kTwoByTwo = R"("learners": 4,
    "training": {"name": "sync_sgd", "evaluation_samples": 40, "evaluate_every": 3, "seeds": [4, 7],
                 "targets": [{"accuracy": 0.01}, {"accuracy": 1}]},
    "collective": {"all_reduce": "ring"},
    "sweep": {"/platform/bandwidth": ["1Gbps", "10Gbps"],
              "/compressor": [{"name": "none"}, {"name": "topk", "density": 0.05}]})";

TEST(TrainingReport, PutsOneCurveOnTheTimeOfEachNetwork) {
  Json report = report_of(kTwoByTwo);
  const auto& points = report.at("points").items();
  ASSERT_EQ(points.size(), 4u);
  double previous = 0;
  for (const Json& point : points) {
    EXPECT_EQ(point.at("loop").text(), "closed");
    const Json& training = point.at("training");
    ASSERT_EQ(training.at("runs").items().size(), 2u);
    EXPECT_EQ(training.at("runs").items()[1].at("seed").integer(), 7);
    const auto& curve = training.at("runs").items()[0].at("curve").items();
    ASSERT_EQ(curve.size(), 3u);
    EXPECT_EQ(curve[0].at("seconds").number(), 0);
    EXPECT_TRUE(curve[0].at("learners_loss").is_null());
    EXPECT_EQ(curve[1].at("epoch").number(), 1) << "three steps of 4 samples, of 12";
    EXPECT_NEAR(curve[2].at("seconds").number(), 6 * point.at("step_seconds").number(), 1e-12);
    EXPECT_NEAR(curve[2].at("bytes").number(), 6 * point.at("bytes_sent_per_learner").number(), 1e-6);
    previous = curve[2].at("seconds").number();
  }
  // The dense ring sends 2(N − 1)/N of the model, of 3072·8 + 8 + 8·10 + 10 parameters.
  EXPECT_NEAR(points[0].at("training").at("runs").items()[0].at("curve").items()[2].at("bytes").number(),
              6 * 1.5 * 4 * 24674, 1e-6 * 24674);
  // What is learned does not depend on the network, when it is learned does.
  for (std::size_t i : {0u, 1u}) {
    const Json &slow = points[i].at("training"), &fast = points[i + 2].at("training");
    EXPECT_EQ(slow.at("final_accuracy"), fast.at("final_accuracy"));
    EXPECT_GT(slow.at("targets").items()[0].at("reached").integer(), 0);
    EXPECT_GT(slow.at("runs").items()[0].at("curve").items()[2].at("seconds").number(),
              fast.at("runs").items()[0].at("curve").items()[2].at("seconds").number());
  }
  EXPECT_GT(previous, 0);

  const auto& targets = report.at("points").items()[0].at("training").at("targets").items();
  EXPECT_EQ(targets[0].at("reached").integer(), 2);
  EXPECT_EQ(targets[1].at("reached").integer(), 0);
  EXPECT_TRUE(targets[1].at("seconds").is_null());
  EXPECT_EQ(report_of(kTwoByTwo, 3).dump(), report.dump())
      << "the same to the byte for any number of threads";
}

std::vector<std::string> labels(const std::string& members) {
  std::vector<std::string> all;
  for (const Point& point : training_plan(members).points) all.push_back(label_of(point));
  return all;
}

TEST(TrainingReport, NamesTheWayOfTrainingOnceUnlessItIsSynchronousSgdAlone) {
  using testing::ElementsAre;
  const std::string plain =
      R"("workload": {"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 12,
      "momentum": 0}, "compressor": {"name": "topk", "density": 0.05}, )";
  EXPECT_THAT(labels(plain + R"("training": {"name": "sasg", "alpha": 2})"),
              ElementsAre("topk density=0.05 sasg alpha=2"));
  EXPECT_THAT(labels(R"("training": "dad")"), ElementsAre("none fp32 dad"));
  EXPECT_THAT(labels(R"("training": "sync_sgd")"), ElementsAre("none fp32"));
  EXPECT_THAT(labels(R"("sweep": {"/training/name": ["sync_sgd", "dad"]})"),
              ElementsAre("none fp32 sync_sgd", "none fp32 dad"));
  EXPECT_THAT(labels(plain + R"("training": "sasg",
                  "sweep": {"method": {"few": {"/compressor/density": 0.01}, "many": {"/compressor/density": 0.1}}})"),
              ElementsAre("few sasg", "many sasg"));
  EXPECT_THAT(labels(R"("sweep": {"method": {"SGD": {"/training/name": "sync_sgd"},
                                             "auto": {"/training/name": "dad"}}})"),
              ElementsAre("SGD", "auto"));
}

TEST(TrainingReport, TellsOfRunsThatDiverged) {
  Json report = report_of(R"("steps": 40, "workload": {"name": "mlp", "hidden": [8], "batch": 4,
      "samples_per_learner": 12, "learning_rate": 100, "momentum": 0.99})");
  const Json& training = report.at("points").items()[0].at("training");
  EXPECT_EQ(training.at("diverged").integer(), 1);
  EXPECT_TRUE(training.at("final_accuracy").is_null());
  EXPECT_THAT(report.at("warnings").items()[0].text(),
              testing::HasSubstr("none fp32 at 3 learners, seed 1: diverged at step "));
}

TEST(TrainingReport, LocalStepsTakeComputingOnly) {
  // Six steps of which two send, after backward: each of these is longer by what it sends.
  Json report =
      report_of(R"("learners": 4, "training": {"name": "local_sgd", "period": 3, "evaluate_every": 1,
      "evaluation_samples": 40})");
  const Json& point = report.at("points").items()[0];
  const auto& curve = point.at("training").at("runs").items()[0].at("curve").items();
  std::vector<double> steps, bytes;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    steps.push_back(curve[i].at("seconds").number() - curve[i - 1].at("seconds").number());
    bytes.push_back(curve[i].at("bytes").number() - curve[i - 1].at("bytes").number());
  }
  double compute = point.at("compute_seconds").number();
  for (std::size_t i : {0u, 1u, 3u, 4u}) {
    EXPECT_NEAR(steps[i], compute, 1e-9);
    EXPECT_EQ(bytes[i], 0);
  }
  for (std::size_t i : {2u, 5u}) {
    EXPECT_GT(steps[i], compute + bytes[i] / 125e6) << "1 Gb/s, nothing overlaps";
    EXPECT_GT(bytes[i], 4 * 24674);
  }
  EXPECT_NEAR(point.at("compression_ratio").at("wire").number(), 3, 1e-12);
}

TEST(TrainingReport, ChargesASecondGradient) {
  Json scenario = training_scenario(R"("steps": 8, "workload": {"name": "mlp", "hidden": [8], "batch": 4,
      "samples_per_learner": 12, "momentum": 0}, "training": {"name": "lasg", "evaluation_samples": 40},
      "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "optimizer": "1ms"})");
  scenario["accelerator"] = Json();
  Json report = report_runner(RunOptions())(scenario, "test.json");
  // Seven steps of eight have a second pass.
  EXPECT_NEAR(report.at("points").items()[0].at("compute_seconds").number(), (3 + 3 * 7.0 / 8 + 1) * 1e-3,
              1e-12);
}

TEST(TrainingReport, TakesGivenTimes) {
  Json scenario = training_scenario(R"("timings": {"name": "given", "forward": "1ms", "backward": "2ms"})");
  scenario["accelerator"] = Json();
  RunOptions options;
  Json report = report_runner(options)(scenario, "test.json");
  EXPECT_NEAR(report.at("points").items()[0].at("compute_seconds").number(), 3e-3, 1e-12);
}

}  // namespace
}  // namespace traincast
