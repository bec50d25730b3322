// `traincast gradients` from outside: models trained small, rows that are kept, and what is refused.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "base/files.hpp"
#include "base/json.hpp"
#include "tests/simulator/program/program_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

using ::testing::HasSubstr;

TEST(GradientsCommand, RefusesBadInputBeforeAnyWork) {
  EXPECT_THAT(traincast("gradients mpl").output,
              HasSubstr("/workload: unknown workload 'mpl'; did you mean 'mlp'?; known: mlp, convnet"));
  EXPECT_THAT(traincast("gradients mlp --compressor topkk").output,
              HasSubstr("unknown compressor 'topkk'; did you mean 'topk'?"));
  EXPECT_EQ(traincast("gradients mlp --learners 8,4").output,
            "traincast: gradients: --learners: must be numbers in [1, 65536] that ascend, as in 8,64; got "
            "'8,4'\n");
  EXPECT_EQ(traincast("gradients mlp --budget 0").output,
            "traincast: gradients: --budget: must be a number in (0, 1e9], got '0'\n");
  for (const char* arguments : {"mpl", "mlp --steps 0", "mlp --format html", "mlp --seed -1",
                                "'{\"name\": 3}'", "mlp --learners 8,x", "mlp --compressor topkk"})
    EXPECT_EQ(traincast("gradients " + std::string(arguments)).code, 2) << arguments;
}

#ifdef TRAINCAST_HAS_CAPTURE

const std::string kTiny =
    R"('{"name": "mlp", "side": 8, "channels": 1, "hidden": [16], "samples_per_learner": 64}' )";

TEST(GradientsCommand, TellsWhatMethodsMakeOfAModelTrainedNow) {
  ScratchFolder folder;
  const std::string command =
      "gradients " + kTiny +
      "--learners 2,6 --compressor '{\"name\": \"topk\", \"density\": 0.1}' "
      "--compressor '{\"name\": \"scalecom\", \"rate\": 10}' --compressor none --quiet --format json --out " +
      (folder / "rows");
  const Outcome first = traincast(command);
  ASSERT_EQ(first.code, 0) << first.output;
  const Json table = Json::parse(first.output, "standard output");
  EXPECT_EQ(table.at("methods").dump(-1), R"(["topk density=0.1","scalecom rate=10","none fp32"])");
  const Json& model = table.at("models").items().at(0);
  EXPECT_EQ(model.at("parameters").integer(), 65 * 16 + 17 * 10);
  EXPECT_GT(model.at("pass_cpu_s").number(), 0);
  EXPECT_TRUE(model.at("lacking").items().empty());
  ASSERT_EQ(model.at("learners").items().size(), 2u);
  for (const Json& point : model.at("learners").items()) {
    const auto& methods = point.at("methods").items();
    ASSERT_EQ(methods.size(), 3u);
    // A learner selects for itself between its own support and all of them; shared places are one support.
    EXPECT_GT(methods[0].at("build_up").number(), 1);
    EXPECT_LE(methods[0].at("build_up").number(), point.at("learners").number());
    EXPECT_EQ(methods[1].at("build_up").number(), 1);
    EXPECT_GT(methods[0].at("wire_ratio").number(), 1);
    EXPECT_EQ(methods[2].at("wire_ratio").number(), 1);
    EXPECT_GT(methods[0].at("contraction").number(), 0);
    EXPECT_NEAR(methods[2].at("contraction").number(), 0, 1e-10);
  }
  // The row stands in the folder with its times, and is not made again; one of another seed is.
  EXPECT_EQ(traincast(command).output, first.output);
  const Outcome other = traincast(command + " --seed 2");
  EXPECT_EQ(other.code, 0) << other.output;
  EXPECT_NE(other.output, first.output);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "rows"), {}), 2);
}

TEST(GradientsCommand, HalvesBatchesThatAreNotStatedUntilPassesFitTheBudget) {
  // A pass takes 3 · 2 operations a weight and sample, 7,104 of 1,184 weights, and one a fortieth of the
  // budget at most: 37,500.
  const std::string rest = " --learners 16 --steps 1 --compressor none --quiet --format json --budget 1.5e-6";
  auto batch = [&](const std::string& workload) {
    const Outcome outcome = traincast("gradients " + workload + rest);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return Json::parse(outcome.output, "standard output").at("models").items().at(0).at("batch").integer();
  };
  EXPECT_EQ(batch(kTiny), 4);
  EXPECT_EQ(
      batch(
          R"('{"name": "mlp", "side": 8, "channels": 1, "hidden": [16], "samples_per_learner": 64, "batch": 16}')"),
      16);
}

TEST(GradientsCommand, TakesWhatWasRecordedOfModelsThatAreNotTrainedHere) {
  // A model beyond 15 million parameters, as a trace of two learners elsewhere would give it.
  ScratchFolder folder;
  const std::string workload = R"({"name": "mlp", "hidden": [5000], "batch": 2, "samples_per_learner": 2})";
  write_text_file(folder / "scenario.json", R"({"name": "x", "learners": 2, "steps": 1, "accelerator": "v100",
      "workload": )" + workload + R"(, "compressor": {"name": "topk", "density": 0.001},
      "platform": {"name": "star", "bandwidth": "10Gbps", "latency": "5us"}})");
  const Outcome recorded =
      traincast("run " + (folder / "scenario.json") + " --quiet --record " + (folder / "exchanges"));
  ASSERT_EQ(recorded.code, 0) << recorded.output;
  const Outcome outcome = traincast(
      R"(gradients '{"name": "mlp", "hidden": [5000], "batch": 1}' --quiet --format json --exchanges )" +
      (folder / "exchanges"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const Json model = Json::parse(outcome.output, "standard output").at("models").items().at(0);
  ASSERT_EQ(model.at("learners").items().size(), 1u) << outcome.output;
  const Json& point = model.at("learners").items()[0];
  EXPECT_EQ(point.at("learners").integer(), 2);
  EXPECT_EQ(point.at("recorded").at("batch").integer(), 2);
  EXPECT_EQ(point.at("recorded").at("data").text(), "images, made");
  EXPECT_GT(point.at("methods").items()[0].at("build_up").number(), 1);
  EXPECT_TRUE(point.at("methods").items()[1].at("wire_ratio").is_null());  // ScaleCom was not recorded
  EXPECT_EQ(traincast("gradients mlp --exchanges /nowhere").code, 2);
}

TEST(GradientsCommand, ShowsWhatCannotBeTrainedHereAsDashesWithTheReason) {
  const Outcome outcome = traincast(
      R"(gradients '{"name": "mlp", "data": {"name": "cifar10", "path": "/nowhere"}}' --learners 2 --quiet)");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("mlp: no pass was timed: /nowhere"));
}

#endif

}  // namespace
}  // namespace traincast
