// The published tables that ship, and calibration through the simulator itself.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "analysis/published/validation.hpp"
#include "simulator/report_runner.hpp"

namespace traincast {
namespace {

Runner quiet_runner() {
  RunOptions options;
  options.quiet = true;
  options.comparisons = false;
  return report_runner(options);
}

Json tiny_scenario() {
  return Json::parse(R"({"name": "made", "learners": 4, "steps": 1,
    "gradients": {"name": "shapes", "shape": [512, 512]}, "overlap": false, "compressor": "none",
    "timings": {"name": "given", "forward": "2ms", "backward": "5ms", "encode": {"topk": "3ms"}, "decode": {"topk": "0ms"}},
    "platform": {"name": "star", "bandwidth": "4Gbps", "latency": "5us"}, "stack": "gloo"})",
                     "made");
}

// A table whose numbers the simulator made: 2 + 5 ms of computing, 4 Gb/s, 3 ms of encoding.
TEST(Validate, RecoversTheParametersOfATableThatTheSimulatorMade) {
  Runner run = quiet_runner();
  auto milliseconds = [&](int learners, const char* method) {
    Json scenario = tiny_scenario();
    scenario["learners"] = learners;
    scenario["compressor"] = Json::parse(method, "method");
    return 1000 * quantity_of("step_seconds", run(scenario, "made"));
  };
  const char* topk = R"({"name": "topk", "density": 0.01})";
  const char* none = R"("none")";
  Json scenario = tiny_scenario();
  scenario["timings"]["forward"] = "1ms";
  scenario["timings"]["backward"] = "1ms";
  scenario["timings"]["encode"]["topk"] = "1ms";
  scenario["platform"]["bandwidth"] = "1Gbps";
  Json document = Json::parse(R"({"format": 1, "name": "made", "title": "", "source": "this program",
    "columns": [{"name": "1", "quantity": "step_seconds", "times": 1000, "unit": "ms", "set": {"/learners": 1}},
                {"name": "4", "quantity": "step_seconds", "times": 1000, "unit": "ms"},
                {"name": "8", "quantity": "step_seconds", "times": 1000, "unit": "ms", "set": {"/learners": 8}}],
    "parameters": [
      {"name": "compute", "unit": "ms", "low": 1, "high": 100, "row": "none", "column": "1", "why": "",
       "sets": [{"at": "/timings/forward", "times": 0.2857142857142857, "unit": "ms"},
                {"at": "/timings/backward", "times": 0.7142857142857143, "unit": "ms"}]},
      {"name": "bandwidth", "unit": "Gb/s", "low": 0.1, "high": 100, "row": "none", "column": "4", "why": "",
       "sets": [{"at": "/platform/bandwidth", "unit": "Gbps"}]},
      {"name": "encoding", "unit": "ms", "low": 0, "high": 50, "column": "4", "rows": ["topk"], "why": "",
       "sets": [{"at": "/timings/encode/{compressor}", "unit": "ms"}]}]})",
                              "made");
  document["scenario"] = scenario;
  Json dense, sparse;
  dense["name"] = "none";
  dense["numbers"]["1"] = milliseconds(1, none);
  dense["numbers"]["4"] = milliseconds(4, none);
  dense["numbers"]["8"] = milliseconds(8, none);
  sparse["name"] = "topk";
  sparse["set"]["/compressor"] = Json::parse(topk, "method");
  sparse["numbers"]["4"] = milliseconds(4, topk);
  sparse["numbers"]["8"] = milliseconds(8, topk);
  document["rows"].push_back(dense);
  document["rows"].push_back(sparse);

  ValidatedTable result = validate(read_published_table(document, "made"), run, refusal_of_scenario);
  ASSERT_EQ(result.parameters.size(), 3u);
  EXPECT_NEAR(result.parameters[0].value, 7, 5e-3);
  EXPECT_NEAR(result.parameters[1].value, 4, 5e-3);
  EXPECT_NEAR(result.parameters[2].value, 3, 5e-3);
  for (const ValidatedNumber& number : result.numbers) EXPECT_NEAR(number.error(), 0, 1e-4) << number.row;
  EXPECT_LT(result.runs, 60u);
}

TEST(Validate, EveryShippedTableRunsAndSaysWhatItCannotRun) {
  Runner run = quiet_runner();
  const std::set<std::string> known_to_wait{"grace_resnet50_10g: threshold", "grace_resnet50_10g: adaq",
                                            "grace_resnet50_10g: inceptionn", "grace_resnet50_10g: sketch"};
  std::set<std::string> awaiting;
#ifdef __SANITIZE_ADDRESS__  // the others take minutes there, and take the same way through the program
  const std::vector<std::string> names{"scalecom_performance_model"};
#else
  const std::vector<std::string> names = shipped_table_names();
#endif
  for (const std::string& name : names) {
    PublishedTable table = shipped_table(name);
    EXPECT_EQ(table.name, name);
    ValidatedTable result = validate(table, run, refusal_of_scenario);
    EXPECT_TRUE(result.failed_checks.empty()) << name << ": " << result.failed_checks.front();
    for (const ValidatedNumber& number : result.numbers) {
      EXPECT_FALSE(number.source.empty()) << number.row;
      EXPECT_GT(number.predicted, 0) << name << ": " << number.row << ", " << number.column;
      double allowed = number.calibrates ? 5e-3 : INFINITY;
      EXPECT_LE(std::fabs(number.error()), allowed) << name << ": " << number.row << ", " << number.column;
    }
    for (const AwaitingRow& row : result.awaiting) awaiting.insert(name + ": " + row.row);
    std::size_t published = 0, listed = result.numbers.size();
    for (const PublishedRow& row : table.rows) published += row.numbers.size();
    for (const AwaitingRow& row : result.awaiting) listed += row.numbers;
    EXPECT_EQ(listed, published) << name << ": no number is dropped";
  }
  for (const std::string& row : awaiting) EXPECT_TRUE(known_to_wait.contains(row)) << row << " cannot be run";
}

}  // namespace
}  // namespace traincast
