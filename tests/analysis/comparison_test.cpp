// Reports side by side: points that are the same, scenarios that are not.
#include "analysis/comparison.hpp"

#include <gmock/gmock.h>

namespace traincast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ReportNumbers report(const std::string& file, const std::string& scenario, const std::string& points) {
  return read_report(Json::parse(R"({"traincast": {"format": 1, "version": "1"}, "checks": [], "warnings": [],
                                     "scenario": )" +
                                     scenario + R"(, "points": )" + points + "}",
                                 file),
                     file);
}

std::string point(const std::string& coordinates, const std::string& bytes, const std::string& step) {
  return R"({"coordinates": )" + coordinates + R"(, "compressor": "topk", "learners": 8,
            "bytes_sent_per_learner": )" +
         bytes + R"(, "step_seconds": )" + step + R"(, "wait_seconds": )" + step + "}";
}

const std::string kSlow =
    R"({"name": "s", "learners": 8, "platform": {"name": "star", "bandwidth": "1Gbps"}})";
const std::string kFast =
    R"({"name": "s", "learners": 8, "platform": {"name": "star", "bandwidth": "10Gbps"}})";
const std::string kSwept = R"({"name": "s", "learners": 8, "platform": {"name": "star", "bandwidth": "1Gbps"},
                               "sweep": {"/platform/bandwidth": ["1Gbps", "10Gbps"]}})";

TEST(Comparison, NamesWhatMovedAndWhatDiffersInTheScenario) {
  Comparison found = compare({report("a", kSlow, "[" + point("{}", "100", "1") + "]"),
                              report("b", kFast, "[" + point("{}", "100", "0.5") + "]")});
  ASSERT_EQ(found.scenario.size(), 1u);
  EXPECT_EQ(found.scenario[0].pointer, "/platform/bandwidth");
  EXPECT_THAT(found.scenario[0].values, ElementsAre(Json("1Gbps"), Json("10Gbps")));
  ASSERT_EQ(found.points.size(), 1u);
  EXPECT_TRUE(found.points[0].shared());
  ASSERT_EQ(found.points[0].moved.size(), 2u);
  EXPECT_EQ(found.points[0].moved[0].key, "step_seconds");
  EXPECT_EQ(to_text(found),
            "A  a\nB  b\n\n"
            "scenario                 A       B\n"
            "/platform/bandwidth  1Gbps  10Gbps\n\n"
            "point             number        A    B  moved\n"
            "topk, 8 learners  step_seconds  1  0.5  -50 %\n\n"
            "1 point in common, 0 with the same numbers; 1 further times moved, see --format json\n");
}

TEST(Comparison, FindsAPointOfASweepInAScenarioWithoutIt) {
  std::string swept = "[" + point(R"({"/platform/bandwidth": "1Gbps"})", "100", "1") + "," +
                      point(R"({"/platform/bandwidth": "10Gbps"})", "100", "0.5") + "]";
  Comparison found =
      compare({report("swept", kSwept, swept), report("fast", kFast, "[" + point("{}", "100", "0.5") + "]")});
  ASSERT_EQ(found.points.size(), 2u);
  EXPECT_FALSE(found.points[0].shared());
  EXPECT_TRUE(found.points[1].shared());
  EXPECT_TRUE(found.points[1].moved.empty());
  EXPECT_THAT(to_text(found), HasSubstr("1 point in common, 1 with the same numbers\n"
                                        "only in A: topk, 8 learners, /platform/bandwidth 1Gbps\n"));
  ASSERT_EQ(found.scenario.size(), 1u) << "the swept place itself is no difference";
  EXPECT_EQ(found.scenario[0].pointer, "/sweep/~1platform~1bandwidth");
}

TEST(Comparison, TakesThreeReportsAndSaysWhichLackAPoint) {
  std::string one = point("{}", "100", "1"), other = point("{}", "101", "1");
  Comparison found = compare(
      {report("a", kSlow, "[" + one + "]"), report("b", kSlow, "[]"), report("c", kSlow, "[" + other + "]")});
  ASSERT_EQ(found.points.size(), 1u);
  EXPECT_THAT(found.points[0].in, ElementsAre(true, false, true));
  std::string text = to_text(found);
  EXPECT_THAT(text, HasSubstr("topk, 8 learners  bytes_sent_per_learner  100  -  101\n"));
  EXPECT_THAT(text, HasSubstr("only in A and C: topk, 8 learners\n"));
  EXPECT_THAT(to_markdown(found),
              HasSubstr("| topk, 8 learners | bytes_sent_per_learner | 100 | - | 101 |\n"));
  Json json = to_json(found);
  EXPECT_EQ(json.at("points").items()[0].at("moved").dump(-1),
            "{\"bytes_sent_per_learner\":[100.0,null,101.0]}");
  EXPECT_EQ(json.at("points").items()[0].at("in").dump(-1), "[\"a\",\"c\"]");
}

TEST(Comparison, SaysWhenReportsShareNothing) {
  Comparison found =
      compare({report("a", kSlow, "[]"), report("b", kSlow, "[" + point("{}", "1", "1") + "]")});
  EXPECT_EQ(to_text(found),
            "A  a\nB  b\n\n0 points in common, 0 with the same numbers\nonly in B: topk, 8 learners\n");
}

}  // namespace
}  // namespace traincast
