// The numbers of every figure, from reports made by hand.
#include <gmock/gmock.h>

#include "analysis/figures/figure_catalog.hpp"
#include "analysis/figures/renderers.hpp"
#include "analysis/figures/step_trace.hpp"
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

// 1.85, 1.95 and 101.75 ms: the third would leave nothing of the others.
TEST(Figures, ABarThatWouldHideTheOthersIsCutAndSaysWhereItEnds) {
  Json report = hand_made_report();
  add_point(report, "scalecom rate=100", 16, 0.1e-3);
  add_point(report, "powersgd rank=2", 16, 0.2e-3);
  add_point(report, "topk density=0.01", 16, 100e-3);
  FigureSource source = source_of(report);
  const Figure figure = drawn("breakdown", source).figures.at(0);
  EXPECT_NEAR(figure.x.high.value(), 1.25 * 1.95, 1e-9);
  EXPECT_THAT(to_figure_csv(figure),
              testing::HasSubstr("exposed communication,topk density=0.01,1.5,101.5,100.0,to 102 ms\n"))
      << "the numbers are whole";
  EXPECT_THAT(to_gnuplot(figure), testing::HasSubstr("'to 102 ms'"));
  EXPECT_THAT(to_gnuplot(figure), testing::Not(testing::HasSubstr("101.5")));
  EXPECT_THAT(to_pgfplots(figure), testing::Not(testing::HasSubstr("101.5")));
  EXPECT_THAT(figure.notes, testing::Contains("Bars that leave the axis end at the time written in them"));
}

TEST(Figures, TrafficIsPerLearnerAndTier) {
  EXPECT_EQ(csv("traffic", two_sizes()),
            "series,Learners (count),Sent per learner (kB)\n"
            "none bf16,8.0,8.0\nnone bf16,16.0,16.0\ntopk density=0.01,16.0,16.0\n");
  EXPECT_EQ(csv("tier-traffic", two_sizes()),
            "series,Learners (count),On nic links per learner (kB)\n"
            "none bf16,8.0,3.0\nnone bf16,16.0,3.0\ntopk density=0.01,16.0,3.0\n");
}

// Build-up of 1 where one support is shared; 4 of 8 learners' supports meet nowhere.
Json with_supports() {
  Json report = two_sizes();
  for (std::size_t i : {1u, 2u}) {
    Json& point = report["points"].items()[i];
    point["build_up"]["final"] = i == 1 ? 1.0 : 4.0;
    point["build_up"]["independent"] = 6.0;
    for (double hop : {1.0, 2.5, i == 1 ? 1.0 : 4.0}) point["build_up"]["by_hop"].push_back(hop);
  }
  return report;
}

TEST(Figures, BuildUpStandsBetweenSharedAndIndependentSupports) {
  EXPECT_EQ(csv("build-up", with_supports()),
            "series,Learners (count),Gradient build-up (×)\n"
            "shared support,8.0,1.0\nshared support,16.0,1.0\n"
            "none bf16,8.0,\nnone bf16,16.0,1.0\n"
            "topk density=0.01,16.0,4.0\n"
            "\"topk density=0.01, independent supports\",16.0,6.0\n");
  EXPECT_EQ(csv("build-up-by-hop", with_supports()),
            "series,Learners united (count),Gradient build-up (×)\n"
            "none bf16,1.0,1.0\nnone bf16,2.0,2.5\nnone bf16,3.0,1.0\n"
            "topk density=0.01,1.0,1.0\ntopk density=0.01,2.0,2.5\ntopk density=0.01,3.0,4.0\n");
  EXPECT_THAT(why_missing("build-up", two_sizes()), testing::HasSubstr("no method"));
}

TEST(Figures, WhatDependsOnNoNetworkIsDrawnOnce) {
  Json report = with_supports();
  for (std::size_t i = 0; i < 3; ++i) {
    Json point = report["points"].items()[i];
    point["bandwidth_bytes_per_second"] = 1.25e9;
    report["points"].push_back(point);
  }
  FigureSource source = source_of(report);
  ASSERT_EQ(drawn("build-up", source).figures.size(), 1u);
  EXPECT_EQ(drawn("build-up", source).figures[0].name, "build-up");
  EXPECT_EQ(drawn("speedup", source).figures.size(), 2u);
  EXPECT_EQ(drawn("speedup", source).figures[1].name, "speedup-star-10-gb-s");
}

TEST(Figures, LayersShowTheRatioOfEachTensorThatHasOne) {
  Json report = two_sizes();
  Json layer;
  layer["name"] = "conv.weight";
  layer["ratio"] = 50.0;
  Json bias;
  bias["name"] = "conv.bias";
  bias["ratio"] = Json();
  for (const Json& one : {layer, bias}) report["points"].items()[2]["layers"].push_back(one);
  EXPECT_EQ(csv("layers", report), "series,Compression ratio (×),row\ntopk density=0.01,50.0,conv.weight\n");
  FigureSource source = source_of(report);
  EXPECT_THAT(drawn("layers", source).figures[0].notes,
              testing::ElementsAre("1 method without bytes by tensor: one message carries a whole bucket"));
}

// At 1 Gb/s top-k takes 2.5 ms against a dense step of 4, at 10 Gb/s 5 ms; with 8 learners dense alone is
// there.
Json two_bandwidths() {
  Json report = hand_made_report();
  add_point(report, "topk density=0.01", 16, 0.75e-3, 1);
  add_point(report, "topk density=0.01", 16, 3.25e-3, 10);
  add_point(report, "none bf16", 16, 2.25e-3, 1);
  add_point(report, "none bf16", 8, 2.25e-3, 1);
  Json entry;
  entry["place"] = "star";
  entry["label"] = "topk density=0.01";
  entry["learners"] = 16;
  for (double end : {12.5e6, 125e9}) entry["searched_bytes_per_second"].push_back(end);
  Json range;
  for (double end : {12.5e6, 250e6}) range.push_back(end);
  entry["wins_bytes_per_second"].push_back(range);
  report["break_even"].push_back(entry);
  return report;
}

TEST(Figures, BreakEvenMapNamesTheWinnerOfEveryCellOrTheBestDenseRun) {
  EXPECT_EQ(csv("break-even-map", two_bandwidths()),
            "series,Learners (count),Bandwidth between machines,text\n"
            "A: none bf16,8,1 Gb/s,A\n"
            "A: none bf16,16,10 Gb/s,A\n"
            "B: topk density=0.01,16,1 Gb/s,B 1.6×\n");
}

TEST(Figures, BreakEvenRangesAreInGigabits) {
  EXPECT_EQ(csv("break-even-ranges", two_bandwidths()),
            "series,row,Bandwidth between machines (Gb/s) from,Bandwidth between machines (Gb/s) to,"
            "Bandwidth between machines (Gb/s) length,text\n"
            "beats the best dense run,topk density=0.01,0.1,2.0,1.9,\n");
}

// Learner 3 computes forward for 1 ms, idles for 0.5 ms while 4 kB are sent, and waits for 0.25 ms.
Json hand_made_timeline() {
  Json step = Json::parse(
      R"({"place": "star", "bandwidth_bytes_per_second": 125000000.0, "label": "topk density=0.01",
    "learners": 16, "step": 5, "step_seconds": 0.00175, "slowest": 3, "tracks": [
      {"learner": 0, "intervals": []},
      {"learner": 3, "intervals": [
        {"what": "forward", "start": 0, "end": 0.001},
        {"what": "collective", "start": 0.001, "end": 0.0015, "bucket": 2, "phase": 1, "word": "all_gather",
         "joined": 3, "sent": 4000},
        {"what": "communication", "start": 0.001, "end": 0.0015},
        {"what": "wait", "start": 0.0015, "end": 0.00175}]}]})",
      "timeline");
  Json timeline;
  timeline["steps"].push_back(step);
  return timeline;
}

TEST(Figures, TimelineShowsTheSlowestLearnersIntervals) {
  Json::Array reports;
  reports.push_back(two_sizes());
  FigureSource source = figure_source(std::move(reports), {"report.json"});
  EXPECT_THAT(drawn("timeline", source).missing, testing::HasSubstr("no timeline.json"));
  source.timelines.push_back(hand_made_timeline());
  ASSERT_EQ(drawn("timeline", source).figures.size(), 1u);
  EXPECT_EQ(
      to_figure_csv(drawn("timeline", source).figures[0]),
      "series,row,Time in the step (ms) from,Time in the step (ms) to,Time in the step (ms) length,text\n"
      "forward,topk density=0.01,0.0,1.0,1.0,\n"
      "collective,topk density=0.01,1.0,1.5,0.5,\n"
      "wait for others,topk density=0.01,1.5,1.75,0.25,\n");
}

TEST(StepTrace, HasATrackForComputingOneForCollectivesAndACounter) {
  Json timeline = hand_made_timeline();
  Json trace = to_trace({&timeline, 1});
  std::vector<std::string> told;
  for (const Json& event : trace.at("traceEvents").items()) {
    std::string kind = event.at("ph").text();
    std::string line = kind + " " + event.at("tid").dump(-1) + " " + event.at("name").text();
    if (kind == "M") line += " " + event.at("args").at("name").text();
    if (kind == "X") line += " " + event.at("ts").dump(-1) + "+" + event.at("dur").dump(-1);
    if (kind == "C") line += " " + event.at("ts").dump(-1) + ": " + event.at("args").at("bytes").dump(-1);
    told.push_back(line);
  }
  EXPECT_THAT(
      told, testing::ElementsAre("M 0 process_name topk density=0.01, star, 1 Gb/s, 16 learners, step 5",
                                 "M 1 thread_name learner 0 compute", "M 2 thread_name learner 0 network",
                                 "C 2 bytes sent by learner 0 0.0: 0.0", "M 7 thread_name learner 3 compute",
                                 "M 8 thread_name learner 3 network", "C 8 bytes sent by learner 3 0.0: 0.0",
                                 "X 7 forward 0.0+1000.0", "X 8 all_gather bucket 2 and 2 more 1000.0+500.0",
                                 "C 8 bytes sent by learner 3 1500.0: 4000.0",
                                 "X 7 idle, collective in flight 1000.0+500.0", "X 7 wait 1500.0+250.0"));
}

TEST(Figures, EqualMethodsOfTwoReportsAreToldApart) {
  Json::Array reports;
  for (const char* name : {"before", "after"}) {
    reports.push_back(hand_made_report(name));
    add_point(reports.back(), "topk density=0.01", 16, 0.75e-3);
  }
  FigureSource source = figure_source(std::move(reports), {"a.json", "b.json"});
  EXPECT_THAT(source.methods,
              testing::ElementsAre("topk density=0.01 [before]", "topk density=0.01 [after]"));
  EXPECT_EQ(source.about, "before + after, seed 7, open loop, traincast 1.2.3");
}

TEST(Figures, PlacesAreComparedWhereOneMethodRunsAtSeveral) {
  Json report = hand_made_report();
  for (std::uint32_t learners : {8u, 16u})
    for (const char* place : {"star, all_reduce ring", "star, all_reduce tree"})
      add_point(report, "none fp32", learners, 0.25e-3)["place"] = place;
  FigureSource source = source_of(report);
  EXPECT_THAT(source.methods, testing::ElementsAre("all_reduce ring", "all_reduce tree"));
  ASSERT_EQ(drawn("speedup", source).figures.size(), 1u);
  EXPECT_EQ(drawn("speedup", source).figures[0].title(), "star, none fp32, 1 Gb/s");
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

// Evaluations at epochs 0, 1 and 2, the distances being known from the second on.
Json& add_run(Json& point, std::optional<double> memory, std::optional<double> selection) {
  Json run;
  run["seed"] = 1;
  run["divergence"] = Json();
  for (double epoch : {0.0, 1.0, 2.0}) {
    Json at;
    at["epoch"] = epoch;
    at["seconds"] = 0.25e-3 * epoch;
    at["bytes"] = 500.0 * epoch;
    at["accuracy"] = 0.25 * epoch;
    at["memory_cosine_distance"] = epoch > 0 && memory ? Json(*memory * epoch) : Json();
    at["selection_hamming_distance"] = epoch > 0 && selection ? Json(*selection) : Json();
    run["curve"].push_back(std::move(at));
  }
  point["training"]["runs"].push_back(std::move(run));
  return point["training"]["runs"].items().back();
}

// Dense gradients, which leave nothing to remember, and ScaleCom.
Json trained() {
  Json report = hand_made_report();
  for (double gigabits : {1.0, 10.0})
    for (const char* method : {"none fp32", "scalecom rate=100"}) {
      Json& point = add_point(report, method, 8, 0.25e-3, gigabits);
      point["place"] = gigabits > 1 ? "star, 10 Gb/s" : "star, 1 Gb/s";
      const bool remembers = point.at("compressor") == Json("scalecom");
      add_run(point, remembers ? std::optional(0.125) : std::nullopt,
              remembers ? std::optional(0.5) : std::nullopt);
      add_run(point, remembers ? std::optional(0.375) : std::nullopt,
              remembers ? std::optional(0.25) : std::nullopt);
    }
  return report;
}

TEST(Figures, DistancesOfLearnersAreMeansOverSeedsWhateverTheNetwork) {
  EXPECT_EQ(csv("memory-distance", trained()),
            "series,Epoch (count),Distance of memories (1 − cos)\n"
            "scalecom rate=100,1.0,0.25\nscalecom rate=100,2.0,0.5\n");
  EXPECT_EQ(csv("selection-distance", trained()),
            "series,Epoch (count),Distance to true top-k (%)\n"
            "scalecom rate=100,1.0,37.5\nscalecom rate=100,2.0,37.5\n");
}

TEST(Figures, LeaveDivergedRunsOutOfMeans) {
  Json report = hand_made_report();
  Json& point = add_point(report, "scalecom rate=100", 8, 0.25e-3);
  add_run(point, 0.125, 0.5);
  add_run(point, 0.375, 0.25)["divergence"]["step"] = 3;
  EXPECT_EQ(csv("memory-distance", report),
            "series,Epoch (count),Distance of memories (1 − cos)\n"
            "scalecom rate=100,1.0,0.125\nscalecom rate=100,2.0,0.25\n");
  for (Json& run : point["training"]["runs"].items()) run["divergence"]["step"] = 3;
  EXPECT_THAT(why_missing("accuracy-time", report), testing::HasSubstr("trained to its end"));
}

TEST(Figures, WithoutSelectionsSayWhatIsMissing) {
  Json report = hand_made_report();
  add_run(add_point(report, "powersgd rank=2", 8, 0.25e-3), 0.5, std::nullopt);
  EXPECT_THAT(why_missing("selection-distance", report), testing::HasSubstr("selects entries"));
  EXPECT_THAT(why_missing("memory-distance", two_sizes()), testing::HasSubstr("error memories"));
}

TEST(Figures, EveryAxisWithoutNamesHasAUnit) {
  Json report = trained(), steps = two_sizes();
  for (Json& point : steps["points"].items()) report["points"].push_back(point);
  FigureSource source = source_of(report);
  for (const auto& entry : figure_catalog().entries())
    for (const Figure& figure : entry.make(source).figures)
      for (const Axis& axis : {figure.x, figure.y})
        EXPECT_TRUE(!axis.categories.empty() || !axis.unit.empty()) << figure.name;
}

}  // namespace
}  // namespace traincast
