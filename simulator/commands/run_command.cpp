#include <filesystem>
#include <iostream>

#include "analysis/report.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/run.hpp"

namespace traincast {

namespace {

void write_results(const std::filesystem::path& out, const RunResult& result) {
  // An earlier run's report goes first and this one's comes last: where it is, all beside it belongs to it.
  std::filesystem::remove(out / "report.json");
  if (!result.timeline.is_null()) write_text_file(out / "timeline.json", result.timeline.dump(-1) + "\n");
  write_text_file(out / "points.csv", to_csv(result.report.points));
  if (!result.timings.is_null()) write_text_file(out / "timings.json", result.timings.dump() + "\n");
  write_text_file(out / "environment.json", result.environment.dump() + "\n");
  write_text_file(out / "report.json", to_json(result.report).dump() + "\n");
  std::filesystem::remove_all(out / kTrainingFolder);
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  std::string scenario;
  std::vector<std::string> sets;
  RunOptions run_options;
  std::string out, timings, record;
  bool plots = false;
  CommandOptions takes("run", "traincast run SCENARIO");
  takes.value(
      "out", out, "DIR",
      "writes report.json, points.csv, timeline.json, timings.json and environment.json there (made where "
      "absent)");
  takes.value("set", sets, "POINTER=VALUE",
              "another value in the scenario, as in --set /platform/bandwidth=25Gbps");
  takes.value(
      "timings", timings, "FILE",
      "takes compute and codec times from an earlier run's timings.json: the report is then the same to the "
      "byte");
  takes.value("record", record, "DIR",
              "keeps what each method sent, sizes and supports, as a file for the source 'exchange'");
  takes.threads(run_options.threads);
  takes.flag("plots", plots, "draws the figures as well, into DIR/figures; see traincast list figures");
  takes.flag("quiet", run_options.quiet, "errors only");
  takes.argument("scenario", scenario);
  if (!takes.read(arguments)) return kSuccess;
  if (scenario.empty()) throw InputError("run: names no scenario file; see traincast run --help");
  if (!timings.empty()) run_options.timings_file = timings;
  if (plots && out.empty()) throw InputError("run: --plots needs --out DIR, the folder for the figures");

  Plan plan = read_plan(scenario, sets);
  if (!out.empty()) {
    run_options.out = make_folder("--out", out);
  }
  if (!record.empty()) run_options.record = make_folder("--record", record);
  RunResult result = run(plan, run_options);
  if (!out.empty()) write_results(out, result);

  if (!run_options.quiet) {
    std::cout << to_table(result.report);
    for (const std::string& sentence : result.report.verdict) std::cout << wrapped(sentence);
    if (!result.report.warnings.empty()) std::cout << "\n";
    for (const std::string& warning : result.report.warnings) std::cout << wrapped("warning: " + warning);
    if (!out.empty()) std::cout << "\nwritten to " << out << "\n";
  }
  bool passed = true;
  for (const Check& check : result.report.checks)
    if (!check.passed) {
      passed = false;
      std::cerr << "check failed: " << check.name << ": " << check.value << ", bound " << check.bound << "\n";
    }
  if (plots) plot_into(run_options.out, {(run_options.out / "report.json").string()}, run_options.quiet);
  return passed ? kSuccess : kCheckFailed;
}

}  // namespace traincast
