// check: a scenario's numbers, or a report's, against a baseline that stands in the repository.
#include <filesystem>
#include <iostream>
#include <optional>

#include "analysis/gate.hpp"
#include "analysis/runner.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/report_runner.hpp"

namespace traincast {

namespace {

namespace fs = std::filesystem;

struct CheckOptions {
  std::string baseline, subject, update, junit, markdown, out;
  unsigned threads = 0;
  bool timings = false, github = false, quiet = false, updates = false;
};

Runner runner(const CheckOptions& check) {
  RunOptions run_options;
  run_options.threads = check.threads;
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

std::optional<CheckOptions> options_of(const std::vector<std::string>& arguments) {
  CheckOptions check;
  CommandOptions takes("check", "traincast check BASELINE [SCENARIO | REPORT]");
  takes.flag("timings", check.timings, "compares step times too, where the baseline has them");
  takes.value("update", check.update, "REASON",
              "writes the baseline anew (with the usual tolerances where there was none), and why");
  takes.value("junit", check.junit, "FILE", "the verdict as JUnit XML, one case a point");
  takes.value("markdown", check.markdown, "FILE", "the verdict for a pull request");
  takes.flag("github", check.github, "the failures as GitHub annotations, on standard output");
  takes.value("out", check.out, "DIR", "keeps report.json there (made where absent)");
  takes.threads(check.threads);
  takes.flag("quiet", check.quiet, "errors only");
  takes.argument("baseline", check.baseline).argument("subject", check.subject);
  if (!takes.read(arguments)) return std::nullopt;
  check.updates = takes.has("update");
  if (check.baseline.empty()) throw InputError("check: names no baseline; see traincast check --help");
  if (check.updates && check.update.find_first_not_of(" \t\n") == std::string::npos)
    throw InputError("check: --update needs the reason, as in --update 'topk packs its indices'");
  if (check.updates && (check.github || !check.junit.empty() || !check.markdown.empty()))
    throw InputError("check: --update judges nothing that --junit, --markdown or --github could show");
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
  auto asked = options_of(arguments);
  if (!asked) return kSuccess;
  const CheckOptions& check = *asked;
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
