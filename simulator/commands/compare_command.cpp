// compare: what changed between reports.
#include <algorithm>
#include <iostream>

#include "analysis/comparison.hpp"
#include "base/error.hpp"
#include "base/names.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/report_input.hpp"

namespace traincast {

int compare_command(const std::vector<std::string>& arguments) {
  const std::vector<std::string> formats{"text", "markdown", "json"};
  std::string format = "text";
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--help") {
      std::cout << "traincast compare A B [C…] [--format text|markdown|json]\n"
                   "A, B, C: reports, or folders with a report.json\n";
      return kSuccess;
    }
    if (arguments[i] == "--format" && i + 1 < arguments.size()) {
      format = arguments[++i];
      if (std::find(formats.begin(), formats.end(), format) == formats.end())
        throw InputError("compare: unknown format '" + format + "'" + known_names(format, formats));
    } else if (arguments[i].starts_with("-")) {
      throw InputError("compare: unknown option '" + arguments[i] +
                       "'; known: --format text|markdown|json, --help");
    } else {
      paths.push_back(arguments[i]);
    }
  }
  if (paths.size() < 2)
    throw InputError("compare: needs two reports or more, got " + std::to_string(paths.size()) +
                     "; see traincast compare --help");
  std::vector<ReportNumbers> reports;
  for (const std::string& path : paths) {
    ReportInput input = read_report_or_scenario(path);
    reports.push_back(read_report(input.document, input.file));
  }
  Comparison comparison = compare(reports);
  if (format == "json")
    std::cout << to_json(comparison).dump() << "\n";
  else
    std::cout << (format == "text" ? to_text(comparison) : to_markdown(comparison));
  return kSuccess;
}

}  // namespace traincast
