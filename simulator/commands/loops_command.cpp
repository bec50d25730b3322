// loops: what the open loop says of a scenario's methods beside what training with them does, on the same
// seeds. In the open loop gradients follow the dense trajectory, as in runs without training.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>

#include "analysis/text_table.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/pass/gradients.hpp"
#include "simulator/point_report.hpp"
#include "simulator/progress.hpp"
#include "simulator/run.hpp"
#include "simulator/training/loop_difference.hpp"
#include "simulator/training_report.hpp"

namespace traincast {

namespace {

constexpr std::size_t kWindow = 10;
constexpr double kClose = 0.05;

/// A method's two loops.
struct Loops {
  std::string label;
  std::uint32_t learners = 1;
  std::size_t seeds = 0;
  LoopSeries open, closed;
  std::string ended;  ///< runs that diverged; none of the others is looked at behind their end
};

struct Number {
  const char *name, *key;
  std::vector<double> LoopSeries::*series;
};
constexpr Number kNumbers[] = {{"build-up", "build_up", &LoopSeries::build_up},
                               {"ratio", "ratio", &LoopSeries::ratio},
                               {"contraction", "contraction", &LoopSeries::contraction}};

// Points that differ in the network alone train alike. The open loop is one of synchronous SGD.
std::vector<Point> methods_of(const Plan& plan) {
  std::vector<Point> methods;
  std::vector<std::string> seen;
  for (const Point& point : plan.points) {
    const Scenario& s = point.scenario;
    if (!s.training || s.training->kind != TrainingKind::sync_sgd) continue;
    Json key;
    for (const char* name : {"workload", "training", "compressor", "error_feedback", "buckets", "learners"})
      key[name] = s.resolved.at(name);
    if (std::ranges::find(seen, key.dump(-1)) != seen.end()) continue;
    seen.push_back(key.dump(-1));
    methods.push_back(point);
  }
  if (methods.empty())
    throw PlacedError(plan.file, "/training",
                      "no point has \"sync_sgd\" in the loop, to be compared with the open one");
  return methods;
}

Loops both_loops(const Point& point, TrainingPlace place, Progress& progress) {
  Loops loops{label_of(point), point.scenario.learners, point.scenario.training->seeds.size(), {}, {}, {}};
  if (!place.checkpoint.empty()) {
    place.checkpoint /= digest_of_data(point.scenario);
    std::filesystem::create_directories(place.checkpoint);
  }
  for (const char* follow : {"dense", "method"}) {
    std::vector<ExchangeRecord> runs;
    for (const Scenario& seed : by_seed(with(point.scenario, "/training/follow", follow))) {
      TrainingPlace told = place;
      told.progress = [&](std::uint64_t done) {
        progress.say(loops.label + ", following the " + follow + (follow[0] == 'd' ? " trajectory" : "") +
                     ", seed " + std::to_string(seed.seed) + ": step " + std::to_string(done) + " of " +
                     std::to_string(seed.steps));
      };
      auto layers = seed.workload->entry->make(seed.workload->parameters).layers;
      TrainingRun run = train(seed, layers, told);
      if (run.divergence)
        loops.ended += "seed " + std::to_string(seed.seed) + ", following the " + follow +
                       ": diverged at step " + std::to_string(run.divergence->step) + ": " +
                       run.divergence->cause + "; compared until there\n";
      runs.push_back(std::move(run.exchange));
    }
    (follow[0] == 'd' ? loops.open : loops.closed) = loop_series(runs);
  }
  return loops;
}

std::string digits(double value, const char* format = "%.4g") {
  if (!std::isfinite(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// Steps 1, 2 to 5, 6 to 10, 11 to 20, 21 to 50 and so on.
std::vector<std::pair<std::size_t, std::size_t>> blocks(std::size_t steps) {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  std::size_t first = 0;
  for (std::size_t power = 1; first < steps; power *= 10)
    for (std::size_t end : {power, 2 * power, 5 * power}) {
      end = std::min(end, steps);
      if (end > first && (end != 2 || steps == 2)) {
        all.emplace_back(first, end);
        first = end;
      }
    }
  return all;
}

std::string to_text(const Loops& loops) {
  const std::size_t steps = std::min(loops.open.ratio.size(), loops.closed.ratio.size());
  std::vector<Column> columns{{"steps", true}};
  for (const Number& number : kNumbers) {
    columns.push_back({std::string(number.name) + " open"});
    columns.push_back({"closed"});
    columns.push_back({"open is"});
  }
  std::vector<std::vector<std::string>> rows;
  for (auto [first, end] : blocks(steps)) {
    std::vector<std::string> row{std::to_string(first + 1) +
                                 (end > first + 1 ? "-" + std::to_string(end) : "")};
    for (const Number& number : kNumbers) {
      double open = mean_of_steps(loops.open.*number.series, first, end);
      double closed = mean_of_steps(loops.closed.*number.series, first, end);
      row.push_back(digits(open));
      row.push_back(digits(closed));
      row.push_back(digits(100 * (open / closed - 1), "%+.1f %%"));
    }
    rows.push_back(std::move(row));
  }
  std::string text = loops.label + ", " + std::to_string(loops.learners) + " learners, " +
                     std::to_string(loops.seeds) + (loops.seeds == 1 ? " seed\n" : " seeds\n") +
                     render_table(columns, rows);
  std::string good;
  for (const Number& number : kNumbers) {
    const std::vector<double>&open = loops.open.*number.series, &closed = loops.closed.*number.series;
    if (steps < kWindow || !std::isfinite(mean_of_steps(open, 0, steps))) continue;
    std::size_t until = good_for(open, closed, kWindow, kClose);
    good += std::string(good.empty() ? "" : ", ") + number.name + " for " +
            (until == steps ? "all "
             : until == 0   ? "fewer than "
                            : "") +
            std::to_string(until == 0 ? kWindow : until) + " steps";
  }
  if (!good.empty()) text += "within 5 % in every 10 steps: " + good + "\n";
  return text + loops.ended;
}

std::string to_csv(const std::vector<Loops>& all) {
  std::string text = "method,learners,step";
  for (const Number& number : kNumbers)
    text += std::string(",") + number.key + "_open," + number.key + "_closed";
  text += "\n";
  for (const Loops& loops : all)
    for (std::size_t s = 0; s < std::min(loops.open.ratio.size(), loops.closed.ratio.size()); ++s) {
      text += "\"" + loops.label + "\"," + std::to_string(loops.learners) + "," + std::to_string(s);
      for (const Number& number : kNumbers)
        for (const LoopSeries* loop : {&loops.open, &loops.closed}) {
          double value = (loop->*number.series)[s];
          text += "," + (std::isfinite(value) ? Json(value).dump(-1) : "");
        }
      text += "\n";
    }
  return text;
}

}  // namespace

int loops_command(const std::vector<std::string>& arguments) {
  std::string scenario, out;
  std::vector<std::string> sets;
  bool quiet = false;
  TrainingPlace place;
  CommandOptions takes("loops", "traincast loops SCENARIO");
  takes.value("out", out, "DIR", "writes loops.csv there, step by step (made where absent)");
  takes.value("set", sets, "POINTER=VALUE", "another value in the scenario, as in --set /steps=200");
  takes.threads(place.threads);
  takes.flag("quiet", quiet, "no progress");
  takes.argument("scenario", scenario);
  if (!takes.read(arguments,
                  "\nTrains with each method of the scenario in the loop, and sets build-up, ratio and\n"
                  "contraction beside those of the open loop, where the same seeds follow the dense\n"
                  "trajectory. Of a scenario with training, the points with sync_sgd.\n"))
    return kSuccess;
  if (scenario.empty()) throw InputError("loops: names no scenario file; see traincast loops --help");

  const Plan plan = read_plan(scenario, sets);
  const std::vector<Point> methods = methods_of(plan);
  std::filesystem::path folder;
  if (!out.empty()) {
    folder = make_folder("--out", out);
    place.checkpoint = folder / kTrainingFolder;
    place.checkpoint_every_s = 20;
  }
  place.program = capture_program().string();
  Progress progress(quiet);
  std::vector<Loops> all;
  for (const Point& method : methods) {
    all.push_back(both_loops(method, place, progress));
    std::cout << (all.size() > 1 ? "\n" : "") << to_text(all.back()) << std::flush;
  }
  if (folder.empty()) return kSuccess;
  write_text_file(folder / "loops.csv", to_csv(all));
  std::filesystem::remove_all(folder / kTrainingFolder);
  if (!quiet) std::cout << "\nwritten to " << out << "\n";
  return kSuccess;
}

}  // namespace traincast
