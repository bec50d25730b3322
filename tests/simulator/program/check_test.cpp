// The gate from outside: exit codes, files, and what an update writes.
#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"
#include "tests/simulator/program/program_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

using testing::HasSubstr;

const std::string kGateFolder = std::string(TRAINCAST_SOURCE_DIR) + "/tests/gate/";
const std::string kOwnBaseline = kGateFolder + "baseline.json";

// Runs of the whole gate are few: the first keeps its report, the others read it.
class Check : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    first_ = traincast("check " + kOwnBaseline + " --timings --out " + *folder_ / "out" + " --junit " +
                       *folder_ / "junit.xml" + " --markdown " + *folder_ / "check.md" + " --github");
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string report() { return *folder_ / "out/report.json"; }
  // A copy of the report, changed.
  static std::string changed(const std::function<void(Json&)>& change) {
    Json document = Json::read_file(report());
    change(document);
    std::string path = *folder_ / "changed.json";
    write_text_file(path, document.dump());
    return path;
  }

  static inline ScratchFolder* folder_ = nullptr;
  static inline Outcome first_;
};

TEST_F(Check, OfThisRepositoryPasses) {
  EXPECT_EQ(first_.code, 0) << first_.output;
  EXPECT_THAT(first_.output, HasSubstr("passed\n"));
  EXPECT_THAT(first_.output, testing::Not(HasSubstr("::error")));
  EXPECT_THAT(read_text_file(*folder_ / "check.md"), HasSubstr("### traincast check: passed"));
  EXPECT_THAT(read_text_file(*folder_ / "junit.xml"), HasSubstr("failures=\"0\""));
}

TEST_F(Check, FailsWhenOneByteOfAnyMethodChangesAndPassesAgainAfter) {
  std::size_t points = Json::read_file(report()).at("points").items().size();
  ASSERT_GT(points, 30u);
  for (std::size_t i : {std::size_t{0}, points / 2, points - 1}) {
    std::string name;
    std::string path = changed([&](Json& document) {
      Json& point = document["points"].items()[i];
      name = point.at("compressor").text();
      // One learner of eight sends one byte more in one step of four.
      point["bytes_sent_per_learner"] = point.at("bytes_sent_per_learner").number() + 1.0 / 8 / 4;
    });
    Outcome outcome = traincast("check " + kOwnBaseline + " " + path + " --github");
    EXPECT_EQ(outcome.code, 1) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr(", 1 moved; times not compared\nfailed; where this is meant:"));
    EXPECT_THAT(outcome.output, HasSubstr("::error file=" + kOwnBaseline + ",title=" + name));
    EXPECT_EQ(traincast("check " + kOwnBaseline + " " + report()).code, 0) << "the report as it was";
  }
}

TEST_F(Check, ComparesStepTimesOnlyWhereAskedAndOnlyUpwards) {
  auto slower = [&](double factor) {
    return changed([&](Json& document) {
      Json& seconds = document["points"].items()[3]["step_seconds"];
      seconds = seconds.number() * factor;
    });
  };
  std::string path = slower(1.02);
  EXPECT_EQ(traincast("check " + kOwnBaseline + " " + path).code, 0);
  EXPECT_EQ(traincast("check " + kOwnBaseline + " " + path + " --timings").code, 1);
  EXPECT_EQ(traincast("check " + kOwnBaseline + " " + slower(1.005) + " --timings").code, 0);
  Outcome faster = traincast("check " + kOwnBaseline + " " + slower(0.9) + " --timings");
  EXPECT_EQ(faster.code, 0);
  EXPECT_THAT(faster.output, HasSubstr("better"));
}

TEST_F(Check, TakesAFolderWithAReportAndRefusesWhatIsNone) {
  EXPECT_EQ(traincast("check " + kOwnBaseline + " " + *folder_ / "out").code, 0);
  std::string old = changed([](Json& document) { document["traincast"]["format"] = 99; });
  Outcome outcome = traincast("check " + kOwnBaseline + " " + old);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.output, "traincast: " + old +
                                ":/traincast/format: only reports of format 1 are read, got 99: a report of "
                                "another version; run its scenario again\n");
  write_text_file(*folder_ / "nan.json", R"({"traincast": {"format": 1}, "points": NaN})");
  EXPECT_EQ(traincast("check " + kOwnBaseline + " " + *folder_ / "nan.json").code, 2);
  EXPECT_EQ(traincast("check " + kGateFolder + "scenario.json").code, 2) << "a scenario is no baseline";
  for (const char* arguments : {"check", "check a b c", "check x.json --update ''", "check x.json --update",
                                "check /nowhere.json", "check x.json --threads 0"})
    EXPECT_EQ(traincast(arguments).code, 2) << arguments;
}

TEST_F(Check, AndComparisonTakeTheSameReports) {
  std::string other = changed([](Json& document) {
    document["scenario"]["platform"]["latency"] = "50us";
    document["points"].items()[3]["bytes_sent_per_learner"] = 1;
    document["points"].items().pop_back();
  });
  Outcome outcome = traincast("compare " + *folder_ / "out" + " " + other);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("/platform/latency  5us  50us\n"));
  EXPECT_THAT(outcome.output, testing::ContainsRegex(
                                  "topk density=0.01, 8 learners +bytes_sent_per_learner +5376 +1 +-100 %"));
  EXPECT_THAT(outcome.output, HasSubstr("only in A: "));
  std::size_t points = Json::read_file(report()).at("points").items().size();
  Json json =
      Json::parse(traincast("compare " + report() + " " + other + " --format json").output, "compare");
  EXPECT_EQ(json.at("points").items().size(), points);
  EXPECT_THAT(traincast("compare " + report() + " " + other + " --format markdown").output,
              HasSubstr("| /platform/latency | 5us | 50us |"));
  for (const std::string& arguments : std::vector<std::string>{
           "compare", "compare " + report(), "compare " + report() + " " + kGateFolder + "scenario.json",
           "compare a b --format yaml", "compare a b --nope"})
    EXPECT_EQ(traincast(arguments).code, 2) << arguments;
}

TEST_F(Check, WritesABaselineWithItsReasonThatPassesThenAndKeepsTolerances) {
  ScratchFolder folder;
  std::string scenario = folder / "scenario.json", baseline = folder / "gate/baseline.json";
  std::filesystem::create_directory(folder / "gate");
  write_text_file(scenario, R"({"name": "small", "learners": 4, "steps": 2,
    "gradients": {"name": "trace", "path": ")" +
                                kGateFolder + R"(trace"},
    "accelerator": "h100",
    "platform": {"name": "star", "bandwidth": "1Gbps"}, "compressor": {"name": "topk", "density": 0.01}})");
  Outcome first = traincast("check " + baseline + " " + scenario + " --update 'a first look'");
  ASSERT_EQ(first.code, 0) << first.output;
  Json written = Json::read_file(baseline);
  EXPECT_EQ(written.at("reason").text(), "a first look");
  EXPECT_EQ(written.at("scenario").text(), "../scenario.json") << "relative to the baseline";
  EXPECT_EQ(traincast("check " + baseline + " --timings --quiet").output, "");

  // Another density is another number at the same place.
  written["tolerances"]["contraction"]["relative"] = 0.5;
  write_text_file(baseline, written.dump());
  std::string text = read_text_file(scenario);
  text.replace(text.find("0.01"), 4, "0.02");
  write_text_file(scenario, text);
  Outcome moved = traincast("check " + baseline);
  EXPECT_EQ(moved.code, 1);
  EXPECT_THAT(moved.output, HasSubstr("topk, 4 learners"));
  EXPECT_EQ(traincast("check " + baseline + " --update 'twice as dense' --quiet").code, 0);
  EXPECT_EQ(traincast("check " + baseline).code, 0);
  EXPECT_EQ(Json::read_file(baseline).at("tolerances").at("contraction").at("relative").number(), 0.5);
  EXPECT_EQ(Json::read_file(baseline).at("reason").text(), "twice as dense");

  // Embedded, the scenario is refused at its place in the baseline.
  Json embedded = Json::read_file(baseline);
  embedded["scenario"] = Json::read_file(scenario);
  write_text_file(baseline, embedded.dump());
  EXPECT_EQ(traincast("check " + baseline).code, 0);
  embedded["scenario"]["learners"] = 0;
  write_text_file(baseline, embedded.dump());
  EXPECT_EQ(traincast("check " + baseline).output,
            "traincast: " + baseline + ":/scenario/learners: must lie in [1, 65536], got 0\n");
}

}  // namespace
}  // namespace traincast
