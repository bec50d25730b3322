// Published numbers beside predictions, with a formula in place of the simulator.
#include "analysis/published/validation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/published/root.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

TEST(Root, IsWhereTheFunctionMeetsItsTarget) {
  int calls = 0;
  auto time = [&](double bandwidth) {
    ++calls;
    return 3 + 100 / bandwidth;
  };
  Root root = solve(time, 23, 0.1, 1000);
  EXPECT_TRUE(root.reached);
  EXPECT_NEAR(root.at, 5, 1e-3);
  EXPECT_LT(calls, 60);
  calls = 0;
  root = solve([&](double x) { return ++calls, 2 * x + 1; }, 8, 0, 100);
  EXPECT_NEAR(root.at, 3.5, 1e-4);
  EXPECT_LE(calls, 3) << "a straight line is met at once";
}

TEST(Root, OutOfReachIsTheNearerEnd) {
  Root above = solve([](double x) { return x; }, 9, 1, 4);
  EXPECT_FALSE(above.reached);
  EXPECT_EQ(above.at, 4);
  Root below = solve([](double x) { return x; }, 0.5, 1, 4);
  EXPECT_FALSE(below.reached);
  EXPECT_EQ(below.at, 1);
}

TEST(Root, AJumpOverTheTargetIsFound) {
  int calls = 0;
  Root jump = solve([&](double x) { return ++calls, x < 2 ? 1.0 : 10.0; }, 6, 0, 5);
  EXPECT_TRUE(jump.reached);
  EXPECT_NEAR(jump.at, 2, 2e-4);
  EXPECT_LT(calls, 50);
}

// step = compute + N · megabytes / bandwidth + codec.
Json formula(const Json& scenario, const std::string&) {
  double step = scenario.at("compute").number() +
                scenario.at("learners").number() * scenario.at("megabytes").number() /
                    scenario.at("bandwidth").number() +
                (scenario.find("codec") ? scenario.at("codec").number() : 0);
  Json point;
  point["step_seconds"] = step;
  point["exposed_communication_seconds"] = step - scenario.at("compute").number();
  Json report;
  report["scenario"] = scenario;
  report["points"].push_back(point);
  report["checks"] = Json::Array{};
  return report;
}

std::string refuses_unknown(const Json& scenario, const std::string&) {
  const Json* method = scenario.find("compressor");
  return method && method->text() == "unheard" ? "unknown compressor 'unheard'" : "";
}

// Numbers made with compute 5, bandwidth 8 and, for "coded", codec 2; the predicted ones are given.
PublishedTable table(const std::string& predicted, const std::string& more_rows = "",
                     const std::string& more = "") {
  return read_published_table(Json::parse(R"({
    "format": 1, "name": "made", "title": "made by the formula", "source": "the formula",
    "scenario": {"learners": 2, "compute": 1, "bandwidth": 1, "megabytes": 40},
    "columns": [{"name": "two", "quantity": "step_seconds", "unit": "s"},
                {"name": "four", "quantity": "step_seconds", "unit": "s", "set": {"/learners": 4}}],
    "parameters": [
      {"name": "compute", "unit": "s", "low": 0, "high": 50, "row": "small", "column": "two",
       "why": "", "sets": [{"at": "/compute"}]},
      {"name": "bandwidth", "unit": "MB/s", "low": 0.1, "high": 1000, "row": "dense", "column": "two",
       "why": "", "sets": [{"at": "/bandwidth"}]},
      {"name": "codec", "unit": "s", "low": 0, "high": 50, "column": "two", "rows": ["coded"],
       "why": "", "sets": [{"at": "/codec"}]}],
    "rows": [
      {"name": "small", "set": {"/megabytes": 4}, "numbers": {"two": 6}},
      {"name": "dense", "numbers": {"two": 15, "four": )" +
                                              predicted + R"(}},
      {"name": "coded", "set": {"/megabytes": 8}, "numbers": {"two": 9, "four": 11}})" +
                                              more_rows + "]" + more + "}",
                                          "made.json"),
                              "made.json");
}

TEST(Validation, SolvesSharedParametersTogetherAndThenEachRowsOwn) {
  ValidatedTable result = validate(table("20"), formula, refuses_unknown);
  ASSERT_EQ(result.parameters.size(), 3u);
  EXPECT_NEAR(result.parameters[0].value, 5, 5e-3);
  EXPECT_NEAR(result.parameters[1].value, 8, 5e-3);
  EXPECT_NEAR(result.parameters[2].value, 2, 5e-3);
  EXPECT_EQ(result.parameters[2].row, "coded");
  for (const ValidatedNumber& number : result.numbers) {
    EXPECT_EQ(number.calibrates, number.column == "two") << number.row;
    double published = number.row == "dense" ? 25 : 11;  // 5 + 4 · 40/8; 5 + 4 · 8/8 + 2
    if (number.column != "four") continue;
    EXPECT_NEAR(number.predicted, published, 0.01) << number.row;
  }
}

TEST(Validation, AParameterMayGrowWithLearners) {
  PublishedTable growing = table("20");
  growing.parameters[2].places[0].per_learner = true;
  ValidatedTable result = validate(growing, formula, refuses_unknown);
  EXPECT_NEAR(result.parameters[2].value, 1, 5e-3) << "2 at 2 learners";
  EXPECT_EQ(result.numbers.back().row, "coded");
  EXPECT_NEAR(result.numbers.back().predicted, 13, 0.02) << "5 + 4 · 8/8 + 4 · 1";
}

TEST(Validation, MediansLeaveOutWhatCalibratedAndWhatIsRecalled) {
  ValidatedTable off = validate(table("20"), formula, refuses_unknown);  // 25 predicted
  ErrorSummary seen = summary_of({off}, Selected::seen_times);
  EXPECT_EQ(seen.count, 2u);
  EXPECT_NEAR(seen.worst, 0.25, 1e-3);
  EXPECT_EQ(seen.worst_name, "made: dense, four");
  EXPECT_NEAR(seen.median, 0.125, 1e-3) << "of 25 % and 0";

  ValidatedTable starred =
      validate(table(R"({"value": 20, "source_quality": "recalled"})"), formula, refuses_unknown);
  seen = summary_of({starred}, Selected::seen_times);
  EXPECT_EQ(seen.count, 1u);
  EXPECT_NEAR(seen.worst, 0, 1e-3);
  EXPECT_NEAR(summary_of({starred}, Selected::recalled).worst, 0.25, 1e-3);
  EXPECT_NE(to_text({starred}).find("20 *"), std::string::npos) << to_text({starred});
}

TEST(Validation, ABoundThatIsKeptIsNoError) {
  ValidatedTable kept = validate(table(R"({"at_most": 26})"), formula, refuses_unknown);
  EXPECT_NEAR(summary_of({kept}, Selected::seen_times).worst, 0, 1e-3);
  ValidatedTable broken = validate(table(R"({"at_most": 24})"), formula, refuses_unknown);
  EXPECT_NEAR(summary_of({broken}, Selected::seen_times).worst, 25.0 / 24 - 1, 1e-3);
}

TEST(Validation, ListsRowsThatCannotRunYet) {
  const std::string waiting =
      R"(, {"name": "later", "set": {"/compressor": "unheard"}, "awaits": "the method",
      "numbers": {"two": 7, "four": 8}})";
  ValidatedTable result = validate(table("25", waiting), formula, refuses_unknown);
  ASSERT_EQ(result.awaiting.size(), 1u);
  EXPECT_EQ(result.awaiting[0].row, "later");
  EXPECT_NE(to_text({result}).find("not run: later: unknown compressor 'unheard'"), std::string::npos);
  for (const ValidatedNumber& number : result.numbers) EXPECT_NE(number.row, "later");
  // The same row runs once the method is known.
  auto knows_all = [](const Json&, const std::string&) { return std::string(); };
  EXPECT_EQ(validate(table("25", waiting), formula, knows_all).numbers.size(), result.numbers.size() + 2);
}

TEST(Validation, SaysWhereNoValueGivesTheCalibratingNumber) {
  PublishedTable narrow = table("25");
  narrow.parameters[1].low = 100;
  ValidatedTable result = validate(narrow, formula, refuses_unknown);
  EXPECT_FALSE(result.parameters[1].reached);
  EXPECT_EQ(result.parameters[1].value, 100);
  EXPECT_NE(to_text({result}).find("out of reach"), std::string::npos);
}

TEST(PublishedTable, IsRefusedWithItsPlace) {
  EXPECT_EQ(refusal([] { table(R"({"value": 20, "source_quality": "guessed"})"); }),
            "made.json:/rows/1/numbers/four/source_quality: must be seen or recalled, got \"guessed\"");
  EXPECT_EQ(refusal([] { table("25", R"(, {"name": "dense", "numbers": {}})"); }),
            "made.json:/rows/3/name: is the name of two rows");
  EXPECT_EQ(refusal([] { table("25", R"(, {"name": "x", "numbers": {"five": 1}})"); }),
            "made.json:/rows/3/numbers/five: there is no column 'five'");
  EXPECT_EQ(refusal([] {
              read_published_table(Json::parse(R"({"format": 1, "name": "n", "title": "t", "scenario": {},
                "columns": [{"name": "c", "quantity": "step_seconds", "unit": "s"}],
                "rows": [{"name": "r", "numbers": {"c": 1}}]})",
                                               "n.json"),
                                   "n.json");
            }),
            "n.json:/rows/0/numbers/c: has no source: name one here, or for its row, column or table");
}

TEST(PublishedTable, HasAScenarioOfOnePoint) {
  EXPECT_EQ(
      refusal([] {
        read_published_table(
            Json::parse(R"({"format": 1, "name": "n", "title": "t", "scenario": {"sweep": {}}})", "n.json"),
            "n.json");
      }),
      "n.json:/scenario/sweep: a table's columns and rows set what changes; its scenario is one point");
}

}  // namespace
}  // namespace traincast
