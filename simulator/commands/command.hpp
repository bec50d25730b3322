// The commands of the program. Each takes its arguments and gives an exit code; errors are thrown up to main.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace traincast {

struct Command {
  const char* name;
  const char* usage;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

int run_command(const std::vector<std::string>& arguments);
int validate_command(const std::vector<std::string>& arguments);
int check_command(const std::vector<std::string>& arguments);
int compare_command(const std::vector<std::string>& arguments);
int loops_command(const std::vector<std::string>& arguments);
int plot_command(const std::vector<std::string>& arguments);
int export_command(const std::vector<std::string>& arguments);
int import_command(const std::vector<std::string>& arguments);
int trace_command(const std::vector<std::string>& arguments);
int gradients_command(const std::vector<std::string>& arguments);
int list_command(const std::vector<std::string>& arguments);
int schema_command(const std::vector<std::string>& arguments);
int reference_command(const std::vector<std::string>& arguments);

/// Draws the figures of the reports into OUT/figures.
void plot_into(const std::filesystem::path& out, const std::vector<std::string>& reports, bool quiet);

const std::vector<Command>& commands();

}  // namespace traincast
