#include "simulator/commands/report_input.hpp"

#include "base/error.hpp"

namespace traincast {

namespace fs = std::filesystem;

ReportInput read_report_or_scenario(const std::string& path) {
  std::string file = fs::is_directory(path) ? (fs::path(path) / "report.json").string() : path;
  return {file, Json::read_file(file)};
}

fs::path make_folder(const std::string& option, const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(option + " " + folder + ": cannot be made: " + error.message());
  return folder;
}

}  // namespace traincast
