// The numbers of every figure, from reports made by hand.
#include <gmock/gmock.h>

#include <map>

#include "analysis/figures/figure_catalog.hpp"
#include "analysis/figures/renderers.hpp"
#include "tests/support/hand_made_report.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

DrawnFigures drawn(const char* kind, const FigureSource& source) {
  for (const auto& entry : figure_catalog().entries())
    if (entry.name == kind) return entry.make(source);
  ADD_FAILURE() << "no figure " << kind;
  return {};
}

std::string csv(const char* kind, const Json& report) {
  FigureSource source = source_of(report);
  DrawnFigures figures = drawn(kind, source);
  if (figures.figures.size() != 1) ADD_FAILURE() << kind << ": " << figures.figures.size() << " figures";
  return figures.figures.empty() ? figures.missing : to_figure_csv(figures.figures.front());
}

std::string why_missing(const char* kind, const Json& report) {
  FigureSource source = source_of(report);
  DrawnFigures figures = drawn(kind, source);
  EXPECT_TRUE(figures.figures.empty());
  return figures.missing;
}

// Steps of 2, 4 and 2.5 ms.
Json two_sizes() {
  Json report = hand_made_report();
  add_point(report, "none bf16", 8, 0.25e-3);
  add_point(report, "none bf16", 16, 2.25e-3);
  add_point(report, "topk density=0.01", 16, 0.75e-3);
  return report;
}

TEST(Figures, ScalingSpeedupIsLearnersTimesTheDenseStepOverTheStep) {
  EXPECT_EQ(csv("scaling-speedup", two_sizes()),
            "series,Learners (count),Scaling speed-up (×)\n"
            "ideal,8.0,8.0\nideal,16.0,16.0\n"
            "none bf16,8.0,4.0\nnone bf16,16.0,4.0\n"
            "topk density=0.01,16.0,6.4\n");
}

TEST(Figures, ScalingEfficiencyIsInPerCent) {
  EXPECT_EQ(csv("scaling-efficiency", two_sizes()),
            "series,Learners (count),Scaling efficiency (%)\n"
            "ideal,8.0,100.0\nideal,16.0,100.0\n"
            "none bf16,8.0,50.0\nnone bf16,16.0,25.0\n"
            "topk density=0.01,16.0,40.0\n");
}

TEST(Figures, SpeedupIsACurveOverLearnersOrARowForEachMethod) {
  EXPECT_EQ(csv("speedup", two_sizes()),
            "series,Learners (count),Speed-up over dense (×)\n"
            "best dense,8.0,1.0\nbest dense,16.0,1.0\n"
            "none bf16,8.0,2.0\nnone bf16,16.0,1.0\n"
            "topk density=0.01,16.0,1.6\n");
  Json one = hand_made_report();
  add_point(one, "topk density=0.01", 16, 0.75e-3);
  add_point(one, "scalecom rate=100", 16, 0.25e-3);
  EXPECT_EQ(csv("speedup", one),
            "series,Speed-up over dense (×),row\n"
            "best dense,1.0,\nbest dense,1.0,\n"
            ",1.6,topk density=0.01\n,2.0,scalecom rate=100\n");
}

TEST(Figures, BreakdownStacksThePartsOfTheStep) {
  Json report = hand_made_report();
  add_point(report, "topk density=0.01", 16, 0.75e-3);
  EXPECT_EQ(csv("breakdown", report),
            "series,row,Step time (ms) from,Step time (ms) to,Step time (ms) length,text\n"
            "compute,topk density=0.01,0.0,1.0,1.0,\n"
            "encode,topk density=0.01,1.0,1.5,0.5,\n"
            "exposed communication,topk density=0.01,1.5,2.25,0.75,\n"
            "decode,topk density=0.01,2.25,2.5,0.25,\n");
}

TEST(Figures, TrafficIsPerLearnerAndTier) {
  EXPECT_EQ(csv("traffic", two_sizes()),
            "series,Learners (count),Sent per learner (kB)\n"
            "none bf16,8.0,8.0\nnone bf16,16.0,16.0\ntopk density=0.01,16.0,16.0\n");
  EXPECT_EQ(csv("tier-traffic", two_sizes()),
            "series,Learners (count),On nic links per learner (kB)\n"
            "none bf16,8.0,3.0\nnone bf16,16.0,3.0\ntopk density=0.01,16.0,3.0\n");
}

TEST(Figures, CurvesOverLearnersNeedTwoNumbersOfThem) {
  Json report = hand_made_report();
  add_point(report, "topk density=0.01", 16, 0.75e-3);
  EXPECT_THAT(why_missing("scaling-speedup", report), testing::HasSubstr("two numbers"));
  EXPECT_THAT(why_missing("break-even-map", report), testing::HasSubstr("two bandwidths"));
}

TEST(Figures, NullLeavesAHoleInTheCurve) {
  Json report = two_sizes();
  report["points"].items()[0]["speedup"] = Json();
  EXPECT_THAT(csv("speedup", report), testing::HasSubstr("none bf16,8.0,\nnone bf16,16.0,1.0\n"));
}

TEST(Figures, EveryAxisWithoutNamesHasAUnit) {
  Json report = two_sizes();
  FigureSource source = source_of(report);
  for (const auto& entry : figure_catalog().entries())
    for (const Figure& figure : entry.make(source).figures)
      for (const Axis& axis : {figure.x, figure.y})
        EXPECT_TRUE(!axis.categories.empty() || !axis.unit.empty()) << figure.name;
}

}  // namespace
}  // namespace traincast
