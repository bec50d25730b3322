#include "simulator/run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/break_even.hpp"
#include "simulator/pass/synthetic_gradients.hpp"
#include "simulator/point_report.hpp"
#include "simulator/scenario/placed.hpp"
#include "simulator/step_timelines.hpp"
#include "simulator/study.hpp"
#include "simulator/training_report.hpp"
#include "simulator/version.hpp"

namespace traincast {

namespace {

// What each stage took, for environment.json.
class StageClock {
 public:
  /// The time since the last call was this stage's.
  void charge(const std::string& stage) {
    auto now = std::chrono::steady_clock::now();
    Json& total = seconds_[stage];
    total = (total.is_null() ? 0.0 : total.number()) + std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  const Json& seconds() const { return seconds_; }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  Json seconds_{Json::Object{}};
};

// Points that share gradients and the source of their times, by their places in the plan.
std::vector<std::vector<std::size_t>> points_by_gradients(const Plan& plan) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    std::string key;
    if (plan.points[i].scenario.training) key = "training ";
    for (const char* name : {"gradients", "workload", "seed", "timings", "accelerator"})
      if (const Json* value = plan.points[i].scenario.resolved.find(name)) key += value->dump(-1);
    auto same =
        std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first == key; });
    if (same == groups.end()) same = groups.insert(same, {key, {}});
    same->second.push_back(i);
  }
  std::vector<std::vector<std::size_t>> places;
  for (auto& group : groups) places.push_back(std::move(group.second));
  return places;
}

// A point's own run, and those that it is compared with.
struct Comparison {
  std::vector<Scenario> seed_scenarios;  // several where training is in the loop
  std::vector<Scenario> dense_scenarios;
  std::optional<Scenario> single_scenario;
  std::vector<Study::Request> seeds;
  Study::Request own, single;
  std::vector<Study::Request> dense;

  /// The point's own run alone, or with all others.
  Comparison(const Scenario& scenario, bool comparisons) : seed_scenarios(by_seed(scenario)) {
    if (!comparisons) return;
    dense_scenarios = dense_runs(scenario);
    single_scenario = with(with(dense_scenarios.front(), "/speeds", "equal"), "/learners", 1);
  }

  std::vector<Scenario> all() const {
    std::vector<Scenario> scenarios = seed_scenarios;
    scenarios.insert(scenarios.end(), dense_scenarios.begin(), dense_scenarios.end());
    if (single_scenario) scenarios.push_back(*single_scenario);
    return scenarios;
  }

  void request(Study& study) {
    seeds = study.request_all(seed_scenarios);
    own = seeds.front();
    dense = study.request_all(dense_scenarios);
    if (single_scenario) single = study.request(*single_scenario);
  }
};

PointReport report_point(Study& study, const Point& point, const Comparison& runs) {
  PointReport report = describe_point(point, study.manifest());
  describe_exchange(report, study.exchange(runs.own.scenario));
  if (point.scenario.training) report.training = training_result(study, runs.seeds);
  describe_timelines(report, study.timelines(runs.own));
  for (const auto& [word, algorithm] : runs.own.algorithms)
    report.collectives.emplace_back(to_string(word), algorithm);
  if (runs.dense.empty()) return report;

  // Closed forms know the network by its longest route and narrowest link only.
  constexpr double kClearly = 1.25;
  for (const AssembledStep::NamedChoice& choice : runs.own.named)
    if (!choice.quicker.empty() && choice.seconds > kClearly * choice.quicker_s)
      report.slow_collectives.push_back({std::string(to_string(choice.word)), choice.algorithm,
                                         choice.quicker, choice.seconds, choice.quicker_s});
  report.stood_in = point.scenario.engine == Engine::automatic &&
                    std::ranges::count(report.engines, to_string(Engine::flow)) > 0;

  auto [best, best_step] = best_of(study, runs.dense);
  double fp32_step = INFINITY, step = report.step_seconds.mean;
  for (const Study::Request& run : runs.dense)
    if (run.scenario.compressor.parameters.word("precision") == "fp32")
      fp32_step = std::min(fp32_step, study.mean_step(run));
  report.best_dense = "none " + best->scenario.compressor.parameters.word("precision");
  if (best->scenario.buckets.text != point.scenario.buckets.text)
    report.best_dense += " buckets=" + best->scenario.buckets.text;
  if (best->scenario.algorithm(Word::all_reduce) != point.scenario.algorithm(Word::all_reduce))
    for (const auto& [word, algorithm] : best->algorithms) report.best_dense += " " + algorithm;
  if (step > 0) {
    report.speedup = best_step / step;
    report.speedup_over_fp32 = fp32_step / step;
    report.scaling_speedup = report.learners * study.mean_step(runs.single) / step;
    report.scaling_efficiency = *report.scaling_speedup / report.learners;
  }
  double dense_traffic =
      total_tier_bytes(study.timelines(runs.dense.front()));  // fp32 in the point's own buckets
  double traffic = total_tier_bytes(study.timelines(runs.own));
  if (traffic > 0) report.traffic_ratio = dense_traffic / traffic;
  return report;
}

RunResult run_plan(const Plan& plan, const RunOptions& options) {
  RunResult result;
  Report& report = result.report;
  Progress progress(options.quiet);
  if (!options.record.empty() && std::none_of(plan.points.begin(), plan.points.end(), [](const Point& point) {
        return has_gradients(point.scenario.gradients.entry->make);
      }))
    throw InputError("--record: this scenario has no gradients from which an exchange could be recorded");
  if (!options.record.empty() && std::any_of(plan.points.begin(), plan.points.end(), [](const Point& point) {
        return point.scenario.training.has_value();
      }))
    throw InputError(
        "--record: of training in the loop no exchange is kept; leave out 'training', or --record");
  StageClock clock;
  // Looking takes a fifth of a second, and matters to what is timed here only.
  const double busy = std::any_of(plan.points.begin(), plan.points.end(),
                                  [](const Point& point) {
                                    return point.scenario.timings.entry->make == TimingSource::measured;
                                  })
                          ? busy_processors()
                          : 0;
  std::optional<Timings> given;
  if (options.timings_file) {
    for (const Point& point : plan.points)
      if (TimingSource source = point.scenario.timings.entry->make;
          source == TimingSource::accelerator || source == TimingSource::recorded)
        throw PlacedError(plan.file, "/timings",
                          "nothing is measured, so that no file can replace it; leave out --timings");
    given = Timings::read_file(*options.timings_file);
  }
  Timings measured;
  bool timed_here = false;
  bool drawn_values = false;
  double expected_memory = 0;
  ProcessMemory learners_memory;
  std::size_t replayed = 0;

  report.traincast = version_info();
  report.scenario = plan.resolved;
  report.points.resize(plan.points.size());
  for (const std::vector<std::size_t>& places : points_by_gradients(plan)) {
    std::vector<const Point*> points;
    for (std::size_t i : places) points.push_back(&plan.points[i]);
    const Scenario& any = points.front()->scenario;
    timed_here = timed_here || (!given && any.timings.entry->make == TimingSource::measured);

    progress.say("gradients …");
    Study study(Gradients(points, {plan.file, options.out, options.threads, options.quiet}), plan.file, any,
                options, given, measured, progress);
    report.traincast["gradients"].push_back(describe_gradients(any, study.manifest()));
    drawn_values = drawn_values || are_drawn(study.manifest().data);
    report.traincast["times"].push_back(describe_times(any, study.manifest(), given.has_value()));
    clock.charge("gradients");

    std::vector<Comparison> comparisons;
    std::vector<Scenario> scenarios;
    for (const Point* point : points) {
      comparisons.emplace_back(point->scenario, options.comparisons);
      for (Scenario& scenario : comparisons.back().all()) scenarios.push_back(std::move(scenario));
    }
    study.compress(scenarios);
    for (Comparison& comparison : comparisons) comparison.request(study);
    clock.charge("compression");

    study.replay("replaying");
    for (std::size_t i = 0; i < points.size(); ++i)
      report.points[places[i]] = report_point(study, *points[i], comparisons[i]);
    clock.charge("replay");

    if (!options.out.empty()) {
      std::vector<ReplayedPoint> replayed_points;
      for (std::size_t i = 0; i < points.size(); ++i)
        replayed_points.push_back({&report.points[places[i]], &comparisons[i].own});
      Json steps = record_timelines(study, replayed_points);
      for (Json& step : steps.items()) result.timeline["steps"].push_back(std::move(step));
      clock.charge("timeline");
    }

    if (options.break_evens)
      for (BreakEven& found : search_break_evens(study, points))
        report.break_evens.push_back(std::move(found));
    clock.charge("break_even");
    replayed += study.replayed();
    expected_memory = std::max(expected_memory, study.expected_memory());
    const ProcessMemory of_learners = study.learners_memory();
    learners_memory.expected = std::max(learners_memory.expected, of_learners.expected);
    learners_memory.peak = std::max(learners_memory.peak, of_learners.peak);
  }

  report.checks = check_points(report.points);
  report.warnings = warn_about(report.points);
  auto any_from = [&](GradientSourceKind kind) {
    return std::ranges::any_of(plan.points,
                               [&](const Point& p) { return p.scenario.gradients.entry->make == kind; });
  };
  if (any_from(GradientSourceKind::generated))
    report.warnings.push_back(
        "the places of sparse messages were drawn, not selected from gradients: build-up and the growth of "
        "messages are those of the draw");
  if (drawn_values)
    report.warnings.push_back(
        "gradients were drawn from the seed, not trained: sizes of messages that do not depend on values are "
        "exact, errors, build-up, error memories and all other sizes are those of the draw");
  if (any_from(GradientSourceKind::shapes))
    report.warnings.push_back(
        "there were no gradients, only their shapes: sizes of messages and times are exact for these, "
        "errors, "
        "build-up and error memories are not known");
  if (timed_here && busy > 0.3)
    report.warnings.push_back(
        "times were measured while other work ran on this machine (see environment.json); repeat on an idle "
        "one, or give "
        "--timings");
  report.verdict = judge(report);
  if (!result.timeline.is_null()) {
    result.timeline["traincast"] = report.traincast;
    result.timeline["scenario"]["name"] = report.scenario.at("name");
  }
  if (timed_here) result.timings = measured.to_json();
  result.environment = describe_environment(options.threads);
  if (timed_here) result.environment["busy_processors_at_start"] = busy;
  result.environment["stage_seconds"] = clock.seconds();
  result.environment["steps_replayed"] = replayed;
  if (expected_memory > 0) result.environment["expected_memory_bytes"] = expected_memory;
  if (learners_memory.expected > 0)
    result.environment["learners"]["expected_memory_bytes"] = learners_memory.expected;
  if (learners_memory.peak > 0) result.environment["learners"]["peak_memory_bytes"] = learners_memory.peak;
  return result;
}

}  // namespace

RunResult run(const Plan& plan, const RunOptions& options) {
  return placed_in(plan.file, [&] { return run_plan(plan, options); });
}

}  // namespace traincast
