// validate: published measurements beside what traincast predicts for the same scenarios.
#include <algorithm>
#include <optional>

#include "analysis/published/validation.hpp"
#include "base/error.hpp"
#include "base/names.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/report_runner.hpp"

namespace traincast {

namespace {

struct ValidateOptions {
  std::vector<std::string> tables;
  std::string format = "text", out;
  unsigned threads = 0;
};

// A name of those that ship, or a file in the same form.
PublishedTable find_table(const std::string& name) {
  if (name.ends_with(".json")) return read_published_table(Json::read_file(name), name);
  return shipped_table(name);
}

std::optional<ValidateOptions> options_of(const std::vector<std::string>& arguments) {
  ValidateOptions validate;
  CommandOptions takes("validate", "traincast validate [NAME | FILE.json]…");
  takes.value("format", validate.format, "FORM", "text (the default), markdown or json");
  takes.value("out", validate.out, "FILE", "writes it there instead of printing it");
  takes.threads(validate.threads);
  takes.argument("table", validate.tables);
  if (!takes.read(arguments,
                  "\nNames: " + join(shipped_table_names()) +
                      "\nA report, not a gate: the exit code is 0 however large the errors are, and 1 "
                      "only where a run failed its own check.\n"))
    return std::nullopt;
  const std::vector<std::string> forms{"text", "markdown", "json"};
  if (std::find(forms.begin(), forms.end(), validate.format) == forms.end())
    throw InputError("validate: --format: unknown form '" + validate.format + "'" +
                     known_names(validate.format, forms));
  if (validate.tables.empty()) validate.tables = shipped_table_names();
  return validate;
}

}  // namespace

int validate_command(const std::vector<std::string>& arguments) {
  const auto asked = options_of(arguments);
  if (!asked) return kSuccess;
  const ValidateOptions& validate_options = *asked;
  std::vector<PublishedTable> published;
  for (const std::string& name : validate_options.tables) published.push_back(find_table(name));

  RunOptions run_options;
  run_options.threads = validate_options.threads;
  run_options.quiet = true;
  run_options.comparisons = false;
  std::vector<ValidatedTable> tables;
  for (const PublishedTable& table : published)
    tables.push_back(validate(table, report_runner(run_options), refusal_of_scenario));

  std::string text = validate_options.format == "json"       ? to_json(tables).dump() + "\n"
                     : validate_options.format == "markdown" ? to_markdown(tables)
                                                             : to_text(tables);
  print_or_write(validate_options.out, text);
  for (const ValidatedTable& table : tables)
    if (!table.failed_checks.empty()) return kCheckFailed;
  return kSuccess;
}

}  // namespace traincast
