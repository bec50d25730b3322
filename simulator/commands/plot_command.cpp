#include <algorithm>
#include <filesystem>
#include <iostream>

#include "analysis/figures/figure_files.hpp"
#include "analysis/figures/step_trace.hpp"
#include "analysis/report.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"

namespace traincast {

namespace {

namespace fs = std::filesystem;

}  // namespace

int plot_command(const std::vector<std::string>& arguments) {
  std::string out;
  std::vector<std::string> reports;
  bool quiet = false;
  CommandOptions takes(
      "plot",
      "traincast plot OUT [REPORT…]\ndraws the figures of OUT/report.json, or of the reports named, into "
      "OUT/figures;\n"
      "and where their runs kept a timeline.json, OUT/trace.json for Perfetto or chrome://tracing");
  takes.flag("quiet", quiet, "errors only").argument("out", out).argument("report", reports);
  if (!takes.read(arguments)) return kSuccess;
  if (out.empty()) throw InputError("plot: names no folder; see traincast plot --help");
  if (reports.empty()) {
    if (!fs::exists(fs::path(out) / "report.json"))
      throw InputError("plot: " + out + " has no report.json; a run with --out " + out +
                       " writes one, or name reports behind the folder");
    reports.push_back((fs::path(out) / "report.json").string());
  }
  plot_into(fs::path(out), reports, quiet);
  return kSuccess;
}

void plot_into(const fs::path& out, const std::vector<std::string>& reports, bool quiet) {
  fs::path folder = out / "figures";
  FigureSource source = read_figure_source(reports);
  PlotResult result = plot(source, folder);
  bool recorded = std::any_of(source.timelines.begin(), source.timelines.end(),
                              [](const Json& timeline) { return !timeline.is_null(); });
  if (recorded) write_text_file(out / "trace.json", to_trace(source.timelines).dump(-1) + "\n");
  if (!quiet) {
    std::cout << "figures in " << folder.string() << ": " << result.figures.size() << "\n";
    for (const std::string& name : result.figures) std::cout << "  " << name << "\n";
    for (const auto& [kind, why] : result.missing) std::cout << wrapped("no " + kind + ": " + why);
  }
  if (!result.not_drawn.empty())
    throw InputError("figures: " + result.not_drawn + "; CSV, TeX and gnuplot scripts were written to " +
                     folder.string());
}

}  // namespace traincast
