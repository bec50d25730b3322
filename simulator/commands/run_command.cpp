#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "analysis/report.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/machine.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/run.hpp"

namespace traincast {

namespace {

namespace options = boost::program_options;

void write_results(const std::filesystem::path& out, const RunResult& result) {
  // An earlier run's report goes first and this one's comes last: where it is, all beside it belongs to it.
  std::filesystem::remove(out / "report.json");
  if (!result.timeline.is_null()) write_text_file(out / "timeline.json", result.timeline.dump(-1) + "\n");
  write_text_file(out / "points.csv", to_csv(result.report.points));
  if (!result.timings.is_null()) write_text_file(out / "timings.json", result.timings.dump() + "\n");
  write_text_file(out / "environment.json", result.environment.dump() + "\n");
  write_text_file(out / "report.json", to_json(result.report).dump() + "\n");
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  options::options_description described("traincast run SCENARIO");
  std::string scenario;
  std::vector<std::string> sets;
  RunOptions run_options;
  std::string out, timings, record;
  int threads = 0;
  auto add = described.add_options();
  add("help", "this text");
  add("out", options::value(&out)->value_name("DIR"),
      "writes report.json, points.csv, timeline.json, timings.json and environment.json there (made where "
      "absent)");
  add("set", options::value(&sets)->value_name("POINTER=VALUE")->composing(),
      "another value in the scenario, as in --set /platform/bandwidth=25Gbps");
  add("timings", options::value(&timings)->value_name("FILE"),
      "takes compute and codec times from an earlier run's timings.json: the report is then the same to the "
      "byte");
  add("record", options::value(&record)->value_name("DIR"),
      "keeps what each method sent, sizes and supports, as a file for the source 'exchange'");
  add("threads", options::value(&threads)->value_name("N"),
      "worker threads; the report does not depend on them (all cores)");
  add("plots", "draws the figures as well, into DIR/figures; see traincast list figures");
  add("quiet", "errors only");
  options::options_description hidden;
  hidden.add_options()("scenario", options::value(&scenario));
  options::positional_options_description position;
  position.add("scenario", 1);
  options::options_description all;
  all.add(described).add(hidden);
  options::variables_map given;
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(position).run(), given);
    options::notify(given);
  } catch (const options::error& error) {
    throw InputError(std::string("run: ") + error.what());
  }
  if (given.count("help")) {
    std::cout << described;
    return kSuccess;
  }
  if (scenario.empty()) throw InputError("run: names no scenario file; see traincast run --help");
  if (given.count("threads") && (threads < 1 || threads > 1024))
    throw InputError("run: --threads must lie in [1, 1024], got " + std::to_string(threads));
  run_options.threads = threads > 0 ? static_cast<unsigned>(threads) : processor_count();
  run_options.quiet = given.count("quiet") > 0;
  if (!timings.empty()) run_options.timings_file = timings;

  bool plots = given.count("plots") > 0;
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
