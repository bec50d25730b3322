// check: a scenario's numbers, or a report's, against a baseline that stands in the repository.
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "analysis/gate.hpp"
#include "analysis/runner.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/machine.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/report_runner.hpp"

namespace traincast {

namespace {

namespace options = boost::program_options;
namespace fs = std::filesystem;

struct CheckOptions {
  std::string baseline, subject, update, junit, markdown, out;
  int threads = 0;
  bool timings = false, github = false, quiet = false, updates = false;
};

Runner runner(const CheckOptions& check) {
  RunOptions run_options;
  run_options.threads = check.threads > 0 ? static_cast<unsigned>(check.threads) : processor_count();
  run_options.quiet = check.quiet;
  return report_runner(run_options);
}

// The baseline's own scenario: beside it, or in it.
ReportNumbers run_own(const Baseline& baseline, const Runner& run, Json& document) {
  if (baseline.scenario.is_null())
    throw PlacedError(baseline.file, "/scenario",
                      "names no scenario; give one, or a report: traincast check BASELINE SCENARIO|REPORT");
  if (baseline.scenario.is_string()) {
    std::string file = (fs::path(baseline.file).parent_path() / baseline.scenario.text()).string();
    document = run(Json::read_file(file), file);
    return read_report(document, file);
  }
  try {
    document = run(baseline.scenario, baseline.file);
  } catch (const PlacedError& error) {
    if (error.file != baseline.file) throw;
    throw PlacedError(error.file, "/scenario" + error.pointer, error.why);
  }
  return read_report(document, baseline.file);
}

// What is held against the baseline; and, as an update keeps it, the scenario that it came from.
ReportNumbers numbers_of(const CheckOptions& check, Baseline& baseline, const Runner& run, Json& document) {
  if (check.subject.empty()) return run_own(baseline, run, document);
  ReportInput input = read_report_or_scenario(check.subject);
  document = input.document;
  if (!looks_like_report(document)) {
    document = run(document, input.file);
    baseline.scenario = fs::proximate(input.file, fs::absolute(baseline.file).parent_path()).string();
  }
  return read_report(document, input.file);
}

Baseline baseline_of(const CheckOptions& check) {
  if (check.updates && !fs::exists(check.baseline)) {
    Baseline fresh;
    fresh.file = check.baseline;
    fresh.tolerances = usual_tolerances();
    return fresh;
  }
  return read_baseline(Json::read_file(check.baseline), check.baseline);
}

CheckOptions read_options(const std::vector<std::string>& arguments, bool& help) {
  CheckOptions check;
  options::options_description described("traincast check BASELINE [SCENARIO | REPORT]");
  auto add = described.add_options();
  add("help", "this text");
  add("timings", "compares step times too, where the baseline has them");
  add("update", options::value(&check.update)->value_name("REASON"),
      "writes the baseline anew (with the usual tolerances where there was none), and why");
  add("junit", options::value(&check.junit)->value_name("FILE"),
      "the verdict as JUnit XML, one case a point");
  add("markdown", options::value(&check.markdown)->value_name("FILE"), "the verdict for a pull request");
  add("github", "the failures as GitHub annotations, on standard output");
  add("out", options::value(&check.out)->value_name("DIR"), "keeps report.json there (made where absent)");
  add("threads", options::value(&check.threads)->value_name("N"),
      "worker threads; the report does not depend on them (all cores)");
  add("quiet", "errors only");
  options::options_description hidden;
  hidden.add_options()("baseline", options::value(&check.baseline))("subject",
                                                                    options::value(&check.subject));
  options::positional_options_description position;
  position.add("baseline", 1).add("subject", 1);
  options::options_description all;
  all.add(described).add(hidden);
  options::variables_map given;
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(position).run(), given);
    options::notify(given);
  } catch (const options::error& error) {
    throw InputError(std::string("check: ") + error.what());
  }
  help = given.count("help") > 0;
  if (help) {
    std::cout << described;
    return check;
  }
  check.timings = given.count("timings") > 0;
  check.github = given.count("github") > 0;
  check.quiet = given.count("quiet") > 0;
  check.updates = given.count("update") > 0;
  if (check.baseline.empty()) throw InputError("check: names no baseline; see traincast check --help");
  if (given.count("threads") && (check.threads < 1 || check.threads > 1024))
    throw InputError("check: --threads must lie in [1, 1024], got " + std::to_string(check.threads));
  if (check.updates && check.update.find_first_not_of(" \t\n") == std::string::npos)
    throw InputError("check: --update needs the reason, as in --update 'topk packs its indices'");
  return check;
}

void write_verdict(const CheckOptions& check, const GateVerdict& verdict) {
  if (!check.junit.empty()) write_text_file(check.junit, to_junit(verdict));
  if (!check.markdown.empty()) write_text_file(check.markdown, to_markdown(verdict));
  if (check.github) std::cout << to_github_annotations(verdict);
  if (!check.quiet) std::cout << to_text(verdict);
}

}  // namespace

int check_command(const std::vector<std::string>& arguments) {
  bool help = false;
  CheckOptions check = read_options(arguments, help);
  if (help) return kSuccess;
  Baseline baseline = baseline_of(check);
  if (!check.out.empty()) make_folder("--out", check.out);
  Json document;
  ReportNumbers numbers = numbers_of(check, baseline, runner(check), document);
  if (!check.out.empty())
    write_text_file((fs::path(check.out) / "report.json").string(), document.dump() + "\n");
  GateVerdict verdict = check_against(baseline, numbers, check.timings);
  if (!check.updates) {
    write_verdict(check, verdict);
    return verdict.passed() ? kSuccess : kCheckFailed;
  }
  for (const std::string& failed : verdict.failed_checks)
    std::cerr << "check: a report whose own check failed makes no baseline: " << failed << "\n";
  if (!verdict.failed_checks.empty()) return kCheckFailed;
  write_text_file(check.baseline, to_json(renewed(baseline, numbers, check.update)).dump() + "\n");
  if (!check.quiet) std::cout << to_text_of_update(verdict) << "written anew: " << check.baseline << "\n";
  return kSuccess;
}

}  // namespace traincast
