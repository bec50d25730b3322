// What people read: table, sentences, CSV; and the checks that a report makes on itself.
#include "analysis/report.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <sstream>

namespace traincast {
namespace {

// A point with easy numbers: 1 ms of computing, and the parts named.
PointReport point(const std::string& label, std::uint32_t learners, double communication, double encode,
                  double speedup) {
  PointReport p;
  p.compressor = label.substr(0, label.find(' '));
  p.label = label;
  p.place = "star, 1 Gb/s";
  p.learners = learners;
  p.compute_seconds.mean = 1e-3;
  p.exposed_encode_seconds.mean = p.encode_seconds.mean = encode;
  p.exposed_communication_seconds.mean = p.communication_seconds.mean = communication;
  p.step_seconds.mean = 1e-3 + encode + communication;
  p.speedup = speedup;
  p.best_dense = "none bf16";
  p.bytes_sent_per_learner.mean = 1000.0 * learners;
  p.tier_bytes = {{"nic", 2e6}, {"nvlink", 123456789}};
  p.payload_ratio = 100;
  p.wire_ratio = 50;
  return p;
}

Report report(std::vector<PointReport> points) {
  Report r;
  r.points = std::move(points);
  r.verdict = judge(r);
  return r;
}

TEST(Table, FitsAHundredColumnsEvenWithTwoTiersAndLongLabels) {
  PointReport wide = point("powersgd rank=2 warm_start=false overlap=false", 1024, 1.23456, 0.5, 0.12345);
  wide.build_up = BuildUp{{123.456, 0}, {}, 0};
  wide.wait_seconds.mean = 1.5;
  std::istringstream table(to_table(report({wide, point("none fp32", 8, 1e-3, 0, 1)})));
  for (std::string line; std::getline(table, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Table, SortsByLearnersAndKeepsTheFileOrderOfMethods) {
  std::string table = to_table(
      report({point("topk a", 16, 1, 0, 1), point("none fp32", 16, 1, 0, 1), point("topk a", 8, 1, 0, 1)}));
  EXPECT_LT(table.find(" 8  topk a"), table.find("16  topk a"));
  EXPECT_LT(table.find("16  topk a"), table.find("16  none fp32"));
}

TEST(Verdict, NamesTheWinnerAndWhatLimitsTheOthers) {
  Report r = report({point("none bf16", 64, 9e-3, 0, 1), point("scalecom rate=100", 64, 1e-3, 0.5e-3, 4),
                     point("topk density=0.01", 8, 1e-3, 1e-3, 1.5),
                     point("topk density=0.01", 64, 12e-3, 1e-3, 0.71)});
  EXPECT_THAT(r.verdict,
              testing::ElementsAre(
                  "star, 1 Gb/s, 64 learners: scalecom rate=100 wins, 4.00× the best dense run (none bf16)",
                  "  topk density=0.01 loses, 0.71×: limited by communication that nothing hides (12 ms); "
                  "its bytes a learner grow 8.00× from 8 to 64 learners, for messages are gathered; at 8 "
                  "learners it gains 1.50×"));
}

TEST(Verdict, SaysWhenNobodyBeatsDense) {
  Report r = report({point("none bf16", 8, 1e-4, 0, 1), point("powersgd rank=2", 8, 0, 2e-3, 0.4)});
  EXPECT_THAT(r.verdict,
              testing::ElementsAre("star, 1 Gb/s, 8 learners: no method beats the best dense run (none bf16)",
                                   "  powersgd rank=2 loses, 0.40×: limited by encoding (2 ms)"));
}

// dad's factors travel without a compressor; synchronous SGD without one is dense.
TEST(Verdict, TellsWaysOfTrainingFromDenseGradients) {
  std::vector<PointReport> points = {point("none dad", 8, 1e-4, 0, 1.5),
                                     point("none sync_sgd", 8, 1e-4, 0, 1)};
  for (PointReport& p : points) p.training.emplace().algorithm = p.label.substr(5);
  EXPECT_THAT(judge(report(points)),
              testing::ElementsAre(testing::HasSubstr("none dad wins, 1.50× the best dense run")));
}

TEST(Verdict, CallsWhatIsWithinHalfAPercentEven) {
  Report r = report({point("none bf16", 8, 1e-4, 0, 1), point("powersgd rank=2", 8, 1e-4, 0, 1.004)});
  EXPECT_THAT(r.verdict,
              testing::ElementsAre(testing::HasSubstr("no method beats"),
                                   testing::StartsWith("  powersgd rank=2 is even, 1.00×: limited by")));
}

TEST(Verdict, TellsFromWhichBandwidthOn) {
  Report r;
  auto add = [&](const char* label, std::vector<std::pair<double, double>> wins) {
    r.break_evens.push_back({Json(Json::Object{}), "star", label, 8, 12.5e6, 125e9, std::move(wins)});
  };
  add("topk a", {{12.5e6, 1.25e9}});
  add("topk b", {{1.25e9, 125e9}});
  add("topk c", {});
  add("topk d", {{12.5e6, 125e9}});
  add("topk e", {{12.5e6, 25e6}, {1.25e9, 12.5e9}});
  EXPECT_THAT(judge(r),
              testing::ElementsAre(
                  "topk a (8 learners) beats the best dense run below about 10 Gb/s",
                  "topk b (8 learners) beats the best dense run above about 10 Gb/s",
                  "topk c (8 learners) never beats the best dense run from 100 Mb/s to 1 Tb/s",
                  "topk d (8 learners) beats the best dense run from 100 Mb/s to 1 Tb/s",
                  "topk e (8 learners) beats the best dense run below about 200 Mb/s, and between about "
                  "10 Gb/s and 100 Gb/s"));
}

TEST(Sentences, AreBrokenAtAHundredColumns) {
  std::string sentence = "  ";
  for (int i = 0; i < 30; ++i) sentence += (i ? " " : "") + std::string("4.00×");
  std::string text = wrapped(sentence);
  std::istringstream lines(text);
  std::string line, joined;
  for (int number = 0; std::getline(lines, line); ++number) {
    EXPECT_LE(line.size() - static_cast<std::size_t>(std::count(line.begin(), line.end(), '\xC3')), 100u);
    EXPECT_EQ(line.find_first_not_of(' '), number == 0 ? 2u : 6u);
    joined += (number ? " " : "  ") + line.substr(line.find_first_not_of(' '));
  }
  EXPECT_EQ(joined, sentence);
  EXPECT_EQ(wrapped("short"), "short\n");
}

TEST(Csv, HasARowForEachPointAndAColumnForEachNumber) {
  PointReport a = point("topk \"x\"", 8, 1e-3, 0, 1), b = point("none fp32", 8, 1e-3, 0, 1);
  a.build_up = BuildUp{{2.5, 0}, {1, 2.5}, 3};
  std::string csv = to_csv({a, b});
  std::istringstream lines(csv);
  std::string head, first, second, rest;
  std::getline(lines, head);
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_FALSE(std::getline(lines, rest));
  EXPECT_THAT(head, testing::HasSubstr("step_seconds,step_seconds_std"));
  EXPECT_THAT(head, testing::HasSubstr("build_up.final"));
  EXPECT_THAT(first, testing::HasSubstr("\"topk \"\"x\"\"\""));
  auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(commas(head), commas(second)) << "coordinates {} hold no comma here";
}

TEST(Spread, IsMeanAndPopulationDeviation) {
  Spread spread = spread_of({1, 3});
  EXPECT_EQ(spread.mean, 2);
  EXPECT_EQ(spread.deviation, 1);
  EXPECT_EQ(spread_of({}).mean, 0);
}

TEST(OverSeeds, IsMeanAndSampleDeviationWithTheMeansStandardError) {
  OverSeeds over = over_seeds({1, 2, 6});
  EXPECT_EQ(over.mean, 3);
  EXPECT_DOUBLE_EQ(over.deviation, std::sqrt((4 + 1 + 9) / 2.0));
  EXPECT_DOUBLE_EQ(over.standard_error, over.deviation / std::sqrt(3.0));
  EXPECT_EQ(over_seeds({5}).deviation, 0);
  EXPECT_EQ(over_seeds({5}).standard_error, 0);
}

/// A run that reaches 60 % after so many seconds, and 50 % in half the time.
SeedCurve reaching(double seconds, bool diverged = false) {
  SeedCurve curve;
  curve.points = {{.seconds = seconds / 2, .accuracy = 0.5}, {.seconds = seconds, .accuracy = 0.6}};
  if (diverged) curve.divergence = {3, "the loss of learner 0 is not finite"};
  return curve;
}

// Of three seeds one diverges, after it had been the first at the target.
TEST(TrainingResult, CountsDivergedRunsInNoMeanAndAsNotReached) {
  TrainingResult result{"sync_sgd", {0.6}, {reaching(1, true), reaching(2), reaching(4)}};
  Json json = to_json(result);
  EXPECT_EQ(json.at("diverged").integer(), 1);
  const Json& target = json.at("targets").items()[0];
  EXPECT_EQ(target.at("reached").integer(), 2);
  EXPECT_EQ(target.at("seconds").number(), 3);
  EXPECT_EQ(result.accuracy().seeds, 2u);
}

SeedCurve falling_short() {
  SeedCurve curve;
  curve.points = {{.seconds = 1, .accuracy = 0.3}};
  return curve;
}

/// A step ten times as quick as a dense one, whatever comes of it.
PointReport trained(const std::string& label, std::vector<SeedCurve> curves,
                    std::vector<double> targets = {0.5, 0.6}) {
  PointReport p = point(label, 8, 1e-3, 0, label.starts_with("none") ? 1 : 10);
  p.setting = "star";
  p.training = TrainingResult{"sync_sgd", std::move(targets), std::move(curves)};
  return p;
}

const PointReport kDenseRun = trained("none fp32", {reaching(2), reaching(4)});  // 3 s

TEST(Verdict, OfTrainingIsByTimeToTheHighestTarget) {
  EXPECT_THAT(judge(report({trained("topk a", {reaching(4), reaching(6)}),
                            trained("topk b", {reaching(1), reaching(1)}),
                            trained("topk c", {reaching(0.1), falling_short()}),
                            trained("topk d", {falling_short(), reaching(0.1, true)}),
                            trained("topk e", {reaching(3), reaching(3)}), kDenseRun})),
              testing::ElementsAre(
                  "star, 1 Gb/s, 8 learners: time to 60 % accuracy: topk b wins, 3.00× the best dense "
                  "run (none fp32, 3 s): 1 s",
                  "  topk e is even, 1.00×: 3 s", "  topk a loses, 0.60×: 5 s",
                  "  topk c reaches it in 1 of 2 seeds, after 100 ms",
                  "  topk d never reaches it (seeds: 2); 1 diverged"));
}

TEST(Verdict, OfTrainingNamesNoWinnerWhereNoneGetsToTheTarget) {
  EXPECT_THAT(
      judge(report({trained("topk a", {falling_short()}), kDenseRun})),
      testing::ElementsAre("star, 1 Gb/s, 8 learners: time to 60 % accuracy: no method beats the best "
                           "dense run (none fp32, 3 s)",
                           "  topk a never reaches it (seeds: 1)"));
  EXPECT_THAT(
      judge(report({trained("topk a", {falling_short()}), trained("none fp32", {reaching(1, true)})})),
      testing::ElementsAre(testing::EndsWith("accuracy: no run reaches it in every seed"),
                           testing::StartsWith("  topk a never"),
                           "  none fp32 never reaches it (seeds: 1); 1 diverged"));
}

TEST(Verdict, OfTrainingWithoutADenseRunThatGetsThereTellsTimes) {
  EXPECT_THAT(judge(report({trained("topk a", {reaching(2)}), trained("topk b", {reaching(1)}),
                            trained("none fp32", {falling_short()})})),
              testing::ElementsAre("star, 1 Gb/s, 8 learners: time to 60 % accuracy: topk b wins, after 1 s",
                                   "  topk a takes 2 s", "  none fp32 never reaches it (seeds: 1)"));
  EXPECT_THAT(judge(report({trained("topk a", {reaching(2)})})),
              testing::ElementsAre("star, 1 Gb/s, 8 learners: time to 60 % accuracy: topk a takes 2 s"))
      << "alone it wins over nobody";
}

TEST(Verdict, OfTrainingWithoutTargetsIsByStepTimeAndLeavesDivergedRunsOut) {
  EXPECT_THAT(judge(report({trained("topk a", {reaching(1, true), reaching(1)}, {}),
                            trained("topk b", {falling_short()}, {})})),
              testing::ElementsAre(
                  "star, 1 Gb/s, 8 learners: by step time, topk b wins, 10.0× the best dense run (none bf16)",
                  "  topk a is left out: 1 of 2 seeds diverged"));
  EXPECT_THAT(judge(report({trained("topk a", {reaching(1, true)}, {})})),
              testing::ElementsAre("star, 1 Gb/s, 8 learners: every method diverged",
                                   "  topk a is left out: 1 of 1 seeds diverged"));
}

TEST(Verdict, TellsBreakEvensOfTrainingThatGetsToItsTargetAndThatTheyAreByStepTime) {
  Report r = report({trained("topk a", {reaching(1)}), trained("topk b", {falling_short()})});
  for (const char* label : {"topk a", "topk b"})
    r.break_evens.push_back({Json(Json::Object{}), "star", label, 8, 12.5e6, 125e9, {{12.5e6, 1.25e9}}});
  EXPECT_THAT(judge(r), testing::Contains(testing::HasSubstr("beats")).Times(1));
  EXPECT_EQ(judge(r).back(), "topk a (8 learners) beats the best dense run by step time below about 10 Gb/s");
}

TEST(Table, TellsHowTheEffectiveRankMovesWithoutDivergedRunsAndOnceForAllNetworks) {
  auto ranks = [](std::vector<double> by_epoch, bool diverged = false) {
    SeedCurve curve = reaching(1, diverged);
    curve.layers = {{"fc0", 1, 1, std::move(by_epoch)}, {"norm", 1, 1, {}}};
    return curve;
  };
  PointReport p = trained("none fp32 rank_dad", {ranks({32, 10, 21}), ranks({30, 12, 23}), ranks({1}, true)}),
              quicker = p;
  quicker.place = "star, 10 Gb/s";
  std::string table = training_table({p, quicker});
  table = table.substr(table.find("effective rank"));
  EXPECT_THAT(table, testing::HasSubstr("none fp32 rank_dad  fc0     31.0   11.0      2  22.0      3"));
  EXPECT_EQ(table.find("fc0"), table.rfind("fc0"));
  EXPECT_EQ(table.find("norm"), std::string::npos);
}

TEST(Checks, FindAStepThatIsNotTheSumOfItsParts) {
  PointReport good = point("none fp32", 8, 1e-3, 0, 1), bad = good;
  EXPECT_TRUE(check_points({good})[0].passed);
  bad.step_seconds.mean *= 1 + 1e-6;
  EXPECT_FALSE(check_points({good, bad})[0].passed);
}

// The check whose name begins so.
Check check_of(const PointReport& p, const std::string& name) {
  for (const Check& check : check_points({p}))
    if (check.name.starts_with(name)) return check;
  ADD_FAILURE() << "no check " << name;
  return {};
}

// Ten bytes sent over two links each, at 80 % of the busiest link.
PointReport sending() {
  PointReport p = point("none fp32", 8, 1e-3, 0, 1);
  p.bytes_sent_total = p.bytes_received_total = p.least_bytes_total = 10;
  p.bytes_on_links_total = 20;
  p.busiest_link_seconds = 0.8e-3;
  p.tier_use = {{"nic", 1e4, 0.8}, {"nvlink", 1e5, 0.1}};
  return p;
}

TEST(Checks, PassOnAPointAtItsBounds) {
  PointReport p = sending();
  p.bytes_on_links_total = 10;
  p.busiest_link_seconds = 1e-3;
  p.tier_use[0].share = 1;
  for (const Check& check : check_points({p})) EXPECT_TRUE(check.passed) << check.name;
  for (const Check& check : check_points({point("none fp32", 1, 0, 0, 1)}))
    EXPECT_TRUE(check.passed) << check.name << ", where nothing was sent";
}

TEST(Checks, FindLostBytes) {
  PointReport p = sending();
  p.bytes_received_total = 9;
  EXPECT_FALSE(check_of(p, "bytes sent are bytes received").passed);
  p = sending();
  p.bytes_on_links_total = 9.5;
  EXPECT_FALSE(check_of(p, "bytes sent cross a link").passed);
}

TEST(Checks, FindCollectivesThatDoWithFewerBytesThanTheyCan) {
  PointReport p = sending();
  p.least_bytes_total = 11;
  Check check = check_of(p, "bytes sent are at least what the collectives need");
  EXPECT_FALSE(check.passed);
  EXPECT_DOUBLE_EQ(check.value, 10.0 / 11);
}

TEST(Checks, FindTimesBelowTheBusiestLinksAndLinksAboveTheirBandwidth) {
  PointReport p = sending();
  EXPECT_DOUBLE_EQ(check_of(p, "communication takes at least").value, 1.25) << "the distance from the bound";
  p.busiest_link_seconds = 1.1e-3;
  EXPECT_FALSE(check_of(p, "communication takes at least").passed);
  EXPECT_TRUE(check_of(p, "no link of tier 'nvlink'").passed);
  p.tier_use[1].share = 1.01;
  EXPECT_FALSE(check_of(p, "no link of tier 'nvlink'").passed);
  EXPECT_TRUE(check_of(p, "no link of tier 'nic'").passed);
}

TEST(Warnings, TellWhichAverageWasEvaluatedWhereItIsNotTheLastStepsModel) {
  auto local = [](const std::string& label, std::uint64_t averaged_after) {
    PointReport p = point(label, 8, 1e-3, 0, 1);
    p.training.emplace().curves.push_back({1, {{.steps = 10, .model_steps = averaged_after}}, {}, {}});
    return p;
  };
  EXPECT_THAT(
      warn_about({local("none period=5", 10), local("none period=4", 8), local("none period=11", 0)}),
      testing::ElementsAre("none period=4 at 8 learners: models are averaged after step 8 of 10 for the "
                           "last time, and accuracy is that of this average",
                           "none period=11 at 8 learners: models are averaged after none of 10 steps, so "
                           "accuracy is that of the initial model"));
}

TEST(Warnings, TellWhereFlowStoodInForSimGridAndFromHowManyLearnersOn) {
  PointReport small = point("none fp32", 8, 1e-3, 0, 1), large = point("none fp32", 1024, 1e-3, 0, 1);
  EXPECT_THAT(warn_about({small}), testing::IsEmpty());
  large.stood_in = true;
  EXPECT_THAT(warn_about({small, large, large}),
              testing::ElementsAre(testing::StartsWith(
                  "the engine 'flow' stood in for SimGrid, which would have taken too long, at 2 of 3 points "
                  "(from 1024 learners on)")));
}

TEST(Warnings, TellOfEachSlowChoiceThePointThatLosesMost) {
  PointReport a = point("none fp32", 8, 1e-3, 0, 1), b = point("topk a", 64, 1e-3, 0, 1);
  a.slow_collectives = {{"all_reduce", "ring", "halving_doubling", 3e-3, 2e-3}};
  b.slow_collectives = {{"all_reduce", "ring", "halving_doubling", 9e-3, 1e-3},
                        {"all_gather", "ring", "bruck", 2e-3, 1e-3}};
  EXPECT_THAT(warn_about({a, b}),
              testing::ElementsAre(
                  "all_reduce by 'ring' is not the quickest: topk a at 64 learners would take 1 ms by "
                  "'halving_doubling' instead of 9 ms (by their closed forms), 9.0 times less; so at 2 "
                  "points; 'auto' "
                  "takes the quickest",
                  "all_gather by 'ring' is not the quickest: topk a at 64 learners would take 1 ms by "
                  "'bruck' instead "
                  "of 2 ms (by their closed forms), 2.0 times less; 'auto' takes the quickest"));
}

}  // namespace
}  // namespace traincast
