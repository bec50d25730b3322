// Baselines and what they are compared with: tolerances, points that come and go, refusals, and each form of
// the verdict.
#include "analysis/gate.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const kBaseline = R"({
  "format": 1, "reason": "test", "scenario": "scenario.json",
  "tolerances": {"bytes_sent_per_learner": {"absolute": 0},
                 "tier_bytes": {"relative": 0.5}, "tier_bytes.nic": {"absolute": 3},
                 "contraction": {"absolute": 0.01, "relative": 0.1, "fails": "above"},
                 "step_seconds": {"relative": 0.01, "fails": "above"}},
  "points": [
    {"coordinates": {"/compressor": {"name": "topk", "density": 0.01}, "/platform/bandwidth": "1Gbps"},
     "compressor": "topk", "learners": 8, "bytes_sent_per_learner": 1000, "contraction": 0.5,
     "tier_bytes": {"nic": 100, "nvlink": 100}, "step_seconds": 1},
    {"coordinates": {"/compressor": "none"}, "compressor": "none", "learners": 1,
     "bytes_sent_per_learner": 0, "contraction": null, "tier_bytes": {}, "step_seconds": 1}]})";

Baseline baseline() { return read_baseline(Json::parse(kBaseline, "b.json"), "b.json"); }

// A report with the baseline's points and other numbers in the first.
ReportNumbers report(const std::string& pointer = "", Json value = {}) {
  Json document =
      Json::parse(R"({"traincast": {"format": 1}, "scenario": {}, "checks": [], "warnings": []})", "r");
  document["points"] = Json::parse(kBaseline, "b.json").at("points");
  if (!pointer.empty()) set_at_pointer(document["points"].items()[0], pointer, std::move(value), "test");
  return read_report(document, "r.json");
}

GateVerdict verdict(const ReportNumbers& numbers, bool timings = false) {
  return check_against(baseline(), numbers, timings);
}

bool passes(const std::string& pointer, Json value, bool timings = false) {
  return verdict(report(pointer, std::move(value)), timings).passed();
}

TEST(Gate, PassesOnTheSameNumbersWhateverTheOrderOfKeys) {
  EXPECT_TRUE(verdict(report(), true).passed());
  EXPECT_TRUE(passes("/coordinates", Json::parse(R"({"/platform/bandwidth": "1Gbps",
                     "/compressor": {"density": 0.01, "name": "topk"}})",
                                                 "c")));
}

TEST(Gate, HoldsEachNumberToItsOwnTolerance) {
  EXPECT_TRUE(passes("/bytes_sent_per_learner", 1000));
  EXPECT_FALSE(passes("/bytes_sent_per_learner", 1000.03125)) << "one byte of one learner in 32";
  EXPECT_FALSE(passes("/bytes_sent_per_learner", 999));
  EXPECT_TRUE(passes("/tier_bytes/nic", 103)) << "its own tolerance, not the family's";
  EXPECT_FALSE(passes("/tier_bytes/nic", 104));
  EXPECT_TRUE(passes("/tier_bytes/nvlink", 150));
  EXPECT_FALSE(passes("/tier_bytes/nvlink", 151));
}

TEST(Gate, AllowsTheLargerOfAbsoluteAndRelativeAndAnythingOnTheOtherSide) {
  EXPECT_TRUE(passes("/contraction", 0.549)) << "a tenth of 0.5 is more than 0.01";
  EXPECT_FALSE(passes("/contraction", 0.551));
  EXPECT_TRUE(passes("/contraction", 0.1));
  EXPECT_EQ(verdict(report("/contraction", 0.1)).points[0].moves[0].verdict, Move::Verdict::other_side);
  EXPECT_EQ(verdict(report("/contraction", 0.549)).points[0].moves[0].verdict, Move::Verdict::tolerated);
}

TEST(Gate, ComparesTimesOnlyWhereAsked) {
  EXPECT_TRUE(passes("/step_seconds", 2));
  EXPECT_FALSE(passes("/step_seconds", 2, true));
}

TEST(Gate, FailsWhereANumberBecomesUndefinedOrIsNotReportedOrNotInTheBaseline) {
  EXPECT_FALSE(passes("/contraction", Json()));
  EXPECT_FALSE(passes("/tier_bytes", Json::parse(R"({"nic": 100})", "t")));
  EXPECT_FALSE(passes("/tier_bytes", Json::parse(R"({"nic": 100, "nvlink": 100, "pcie": 1})", "t")));
  EXPECT_TRUE(passes("/compression_ratio/wire", 5)) << "has no tolerance";
}

TEST(Gate, NamesPointsThatAreMissingAndNew) {
  GateVerdict found = verdict(report("/coordinates/~1platform~1bandwidth", "10Gbps"));
  ASSERT_EQ(found.points.size(), 3u);
  EXPECT_EQ(found.points[0].state, PointVerdict::State::missing);
  EXPECT_EQ(found.points[0].name, "topk density=0.01, 8 learners, /platform/bandwidth 1Gbps");
  EXPECT_EQ(found.points[1].name, "none, 1 learner");
  EXPECT_EQ(found.points[2].state, PointVerdict::State::added);
  EXPECT_EQ(found.points[2].name, "topk density=0.01, 8 learners, /platform/bandwidth 10Gbps");
  EXPECT_FALSE(found.passed());
}

TEST(Gate, TellsPointsWithTheSameCoordinatesApartByTheirOrder) {
  Json document = Json::parse(kBaseline, "b");
  Json::Array& points = document["points"].items();
  points.push_back(points[1]);
  points[2]["bytes_sent_per_learner"] = 7;
  auto read = read_points(JsonReader(document, "b").at("points"), true);
  EXPECT_EQ(read[2].name, "none, 1 learner (2)");
  EXPECT_NE(read[1].identity, read[2].identity);
}

TEST(Gate, FailsOnAReportWhoseOwnCheckFailed) {
  ReportNumbers numbers = report();
  numbers.failed_checks = {"bytes sent are bytes received"};
  EXPECT_FALSE(verdict(numbers).passed());
  EXPECT_THAT(to_text(verdict(numbers)),
              HasSubstr("the report's own check failed: bytes sent are bytes received\n"));
}

std::string refused_baseline(const std::string& from, const std::string& to) {
  std::string text = kBaseline;
  text.replace(text.find(from), from.size(), to);
  return refusal([&] { read_baseline(Json::parse(text, "b.json"), "b.json"); });
}

TEST(Gate, RefusesWhatIsNoBaselineWithItsPlace) {
  EXPECT_EQ(
      refusal([] { read_baseline(Json::parse(R"({"name": "x", "learners": 8})", "s.json"), "s.json"); }),
      "s.json: is no baseline: key 'tolerances' is missing; traincast check BASELINE SCENARIO --update "
      "REASON writes one");
  EXPECT_EQ(refused_baseline("\"format\": 1", "\"format\": 2"),
            "b.json:/format: only baselines of format 1 are read, got 2");
  EXPECT_EQ(
      refused_baseline("\"reason\"", "\"resaon\": 1, \"reason\""),
      "b.json:/resaon: unknown key; did you mean 'reason'?; known: format, reason, scenario, tolerances, "
      "points");
  EXPECT_THAT(
      refused_baseline("\"contraction\": {", "\"contractoin\": {"),
      testing::StartsWith("b.json:/tolerances/contractoin: unknown number; did you mean 'contraction'?"));
  EXPECT_EQ(refused_baseline("\"absolute\": 3", "\"absolute\": -3"),
            "b.json:/tolerances/tier_bytes.nic/absolute: must be zero or more, got -3");
  EXPECT_EQ(
      refused_baseline("\"fails\": \"above\"", "\"fails\": \"abvoe\""),
      "b.json:/tolerances/contraction/fails: unknown side 'abvoe'; did you mean 'above'?; known: either, "
      "above, below");
  EXPECT_THAT(refused_baseline("\"contraction\": 0.5", "\"contractoin\": 0.5"),
              testing::StartsWith("b.json:/points/0/contractoin: unknown key; did you mean 'contraction'?"));
  EXPECT_EQ(refused_baseline("\"contraction\": 0.5", "\"relative_error\": 0.5"),
            "b.json:/points/0: 'relative_error' has no tolerance, so that nothing would compare it");
  EXPECT_EQ(refused_baseline("\"bytes_sent_per_learner\": 1000", "\"bytes_sent_per_learner\": \"1000\""),
            "b.json:/points/0/bytes_sent_per_learner: must be a number, got \"1000\"");
  EXPECT_EQ(refused_baseline("\"learners\": 8", "\"learners\": 0"),
            "b.json:/points/0/learners: must be 1 or more, got 0");
  EXPECT_THAT(refused_baseline("1000", "NaN"), HasSubstr("b.json: not JSON"));
  EXPECT_THAT(refused_baseline("1000", "1e999"), HasSubstr("b.json: not JSON"));
}

TEST(Gate, RefusesWhatIsNoReportOrOneOfAnotherVersion) {
  auto refused = [](const char* text) {
    return refusal([&] { read_report(Json::parse(text, "r.json"), "r.json"); });
  };
  EXPECT_EQ(refused("[]"), "r.json: must be an object, got []");
  EXPECT_EQ(refused("{}"), "r.json: is no report of traincast: key 'traincast' is missing");
  EXPECT_EQ(
      refused(R"({"traincast": {"version": "0.0.9"}})"),
      "r.json:/traincast: key 'format' is missing: a report of another version; run its scenario again");
  EXPECT_EQ(refused(R"({"traincast": {"format": 1}, "scenario": {}})"), "r.json: key 'points' is missing");
}

TEST(Gate, SurvivesWritingAndReadingABaseline) {
  Baseline once = baseline();
  EXPECT_EQ(to_json(read_baseline(to_json(once), "b.json")), to_json(once));
  Baseline again = renewed(once, report("/contraction", 0.25), "better");
  EXPECT_EQ(again.reason, "better");
  EXPECT_TRUE(check_against(again, report("/contraction", 0.25), true).passed());
  EXPECT_EQ(again.points[0].find("compression_ratio.wire"), nullptr);
}

TEST(Gate, PrintsWhatMovedWithAsManyDigitsAsTellItApart) {
  EXPECT_EQ(to_text(verdict(report("/bytes_sent_per_learner", 1000.03125))),
            "point                             number                  baseline      now    moved  allowed\n"
            "topk density=0.01, 8 ~idth 1Gbps  bytes_sent_per_learner      1000  1000.03  +0.0312        0  "
            "fails\n\n"
            "2 points: 1 as in b.json, 1 moved; times not compared\n"
            "failed; where this is meant: traincast check b.json --update 'the reason'\n");
}

TEST(Gate, WritesMarkdownJUnitAndAnnotations) {
  GateVerdict found = verdict(report("/bytes_sent_per_learner", 1002));
  found.points[0].name = "a<b> & \"c\", 50%: x|y";
  EXPECT_THAT(to_markdown(found), HasSubstr("### traincast check: failed"));
  EXPECT_THAT(to_markdown(found),
              HasSubstr("\n| a<b> & \"c\", 50%: x\\|y | bytes_sent_per_learner | 1000 | 1002 | +2 | 0 | "
                        "fails |\n"));
  std::string junit = to_junit(found);
  EXPECT_THAT(junit,
              HasSubstr("<testsuite name=\"traincast check\" tests=\"3\" failures=\"1\" errors=\"0\">"));
  EXPECT_THAT(junit,
              HasSubstr("<testcase classname=\"topk\" name=\"a&lt;b&gt; &amp; &quot;c&quot;, 50%: x|y\">\n"
                        "      <failure message=\"bytes_sent_per_learner moved from 1000 to 1002 (+2)\">"));
  EXPECT_EQ(
      to_github_annotations(found),
      "::error file=b.json,title=a<b> & \"c\"%2C 50%25%3A x|y::bytes_sent_per_learner moved from 1000 to "
      "1002 (+2)\n");
  EXPECT_EQ(to_github_annotations(verdict(report())), "");
}

}  // namespace
}  // namespace traincast
