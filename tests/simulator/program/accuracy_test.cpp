// What the papers say of error feedback, on a task so small that the program can train it here.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "tests/simulator/program/program_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

#ifdef TRAINCAST_HAS_CAPTURE

const std::string kSmall = TRAINCAST_SOURCE_DIR "/simulator/scenarios/accuracy-small.json";

TEST(SmallAccuracy, ErrorFeedbackMattersByMoreThanThreeStandardErrors) {
  ScratchFolder folder;
  Outcome outcome = traincast("run " + kSmall + " --quiet --threads 2 --out " + (folder / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  Json report = Json::read_file(folder / "out/report.json");
  std::map<std::string, std::pair<double, double>> accuracy;  // by method: mean and standard error
  for (const Json& point : report.at("points").items()) {
    const Json& training = point.at("training");
    EXPECT_EQ(training.at("diverged").integer(), 0);
    accuracy[point.at("label").text()] = {training.at("final_accuracy").number(),
                                          training.at("final_accuracy_standard_error").number()};
  }
  auto leads_by = [&](const char* better, const char* worse) {
    auto [high, high_error] = accuracy.at(better);
    auto [low, low_error] = accuracy.at(worse);
    return (high - low) / std::hypot(high_error, low_error);
  };
  EXPECT_GT(leads_by("top-k 0.1 %", "top-k 0.1 %, no memory"), 3);
  EXPECT_GT(leads_by("SGD", "top-k 0.1 %, no memory"), 3);
}

// The same seeds with and without it: the same initial parameters, mini-batches and first factors.
TEST(WarmStart, MattersByMoreThanThreeStandardErrorsOfPairs) {
  ScratchFolder folder;
  Outcome outcome = traincast(
      "run " TRAINCAST_SOURCE_DIR "/simulator/scenarios/warm-start.json --quiet --threads 2 " +
      std::string("--set /training/epochs=4 --set '/training/seeds=[1,2,3]' --out ") + (folder / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  Json report = Json::read_file(folder / "out/report.json");
  const auto& points = report.at("points").items();
  ASSERT_EQ(points[0].at("label").text(), "PowerSGD rank 1");
  ASSERT_EQ(points[1].at("label").text(), "PowerSGD rank 1, cold");
  const auto &warm = points[0].at("training").at("runs").items(),
             &cold = points[1].at("training").at("runs").items();
  auto leads_by = [&](const char* key, double sign) {
    std::vector<double> leads;
    for (std::size_t i = 0; i < warm.size(); ++i)
      leads.push_back(sign * (warm[i].at("curve").items().back().at(key).number() -
                              cold[i].at("curve").items().back().at(key).number()));
    const auto n = static_cast<double>(leads.size());
    const double mean = std::accumulate(leads.begin(), leads.end(), 0.0) / n;
    double square = 0;
    for (double lead : leads) square += (lead - mean) * (lead - mean);
    return mean / std::sqrt(square / (n - 1) / n);
  };
  ASSERT_EQ(warm.size(), 3u);
  EXPECT_GT(leads_by("accuracy", 1), 3);
  EXPECT_GT(leads_by("loss", -1), 3);
}

TEST(Loops, SetTheOpenLoopBesideTheClosedOne) {
  ScratchFolder folder;
  Outcome outcome = traincast("loops " + kSmall + " --quiet --threads 2 --set /training/epochs=0 --set " +
                              "/steps=12 --set '/training/seeds=[1]' --out " + (folder / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("top-k 0.1 %, no memory, 8 learners, 1 seed"), std::string::npos)
      << outcome.output;
  EXPECT_NE(outcome.output.find("within 5 % in every 10 steps: "), std::string::npos);
  EXPECT_EQ(outcome.output.find("Local SGD"), std::string::npos) << "which has no open loop";
  EXPECT_TRUE(std::filesystem::exists(folder / "out/loops.csv"));
}

#endif

TEST(Loops, NeedTrainingInTheLoop) {
  Outcome outcome = traincast("loops " TRAINCAST_SOURCE_DIR "/simulator/scenarios/collectives.json");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("/training: no point has \"sync_sgd\" in the loop"), std::string::npos)
      << outcome.output;
}

}  // namespace
}  // namespace traincast
