// validate: published measurements beside what traincast predicts for the same scenarios.
#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>

#include "analysis/published/validation.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/machine.hpp"
#include "base/names.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/report_runner.hpp"

namespace traincast {

namespace {

namespace options = boost::program_options;

struct ValidateOptions {
  std::vector<std::string> tables;
  std::string format = "text", out;
  int threads = 0;
};

// A name of those that ship, or a file in the same form.
PublishedTable find_table(const std::string& name) {
  if (name.ends_with(".json")) return read_published_table(Json::read_file(name), name);
  return shipped_table(name);
}

ValidateOptions read_options(const std::vector<std::string>& arguments, bool& help) {
  ValidateOptions validate;
  options::options_description described("traincast validate [NAME | FILE.json]…");
  auto add = described.add_options();
  add("help", "this text");
  add("format", options::value(&validate.format)->value_name("FORM"), "text (the default), markdown or json");
  add("out", options::value(&validate.out)->value_name("FILE"), "writes it there instead of printing it");
  add("threads", options::value(&validate.threads)->value_name("N"),
      "worker threads; the numbers do not depend on them (all cores)");
  options::options_description hidden;
  hidden.add_options()("table", options::value(&validate.tables));
  options::positional_options_description position;
  position.add("table", -1);
  options::options_description all;
  all.add(described).add(hidden);
  options::variables_map given;
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(position).run(), given);
    options::notify(given);
  } catch (const options::error& error) {
    throw InputError(std::string("validate: ") + error.what());
  }
  help = given.count("help") > 0;
  if (help) {
    std::vector<std::string> names = shipped_table_names();
    std::cout
        << described << "\nNames: " << join(names)
        << "\nA report, not a gate: the exit code is 0 however large the errors are, and 1 only where a "
           "run failed its own check.\n";
    return validate;
  }
  const std::vector<std::string> forms{"text", "markdown", "json"};
  if (std::find(forms.begin(), forms.end(), validate.format) == forms.end())
    throw InputError("validate: --format: unknown form '" + validate.format + "'" +
                     known_names(validate.format, forms));
  if (given.count("threads") && (validate.threads < 1 || validate.threads > 1024))
    throw InputError("validate: --threads must lie in [1, 1024], got " + std::to_string(validate.threads));
  if (validate.tables.empty()) validate.tables = shipped_table_names();
  return validate;
}

}  // namespace

int validate_command(const std::vector<std::string>& arguments) {
  bool help = false;
  const ValidateOptions validate_options = read_options(arguments, help);
  if (help) return kSuccess;
  std::vector<PublishedTable> published;
  for (const std::string& name : validate_options.tables) published.push_back(find_table(name));

  RunOptions run_options;
  run_options.threads =
      validate_options.threads > 0 ? static_cast<unsigned>(validate_options.threads) : processor_count();
  run_options.quiet = true;
  run_options.comparisons = false;
  std::vector<ValidatedTable> tables;
  for (const PublishedTable& table : published)
    tables.push_back(validate(table, report_runner(run_options), refusal_of_scenario));

  std::string text = validate_options.format == "json"       ? to_json(tables).dump() + "\n"
                     : validate_options.format == "markdown" ? to_markdown(tables)
                                                             : to_text(tables);
  if (validate_options.out.empty())
    std::cout << text;
  else
    write_text_file(validate_options.out, text);
  for (const ValidatedTable& table : tables)
    if (!table.failed_checks.empty()) return kCheckFailed;
  return kSuccess;
}

}  // namespace traincast
