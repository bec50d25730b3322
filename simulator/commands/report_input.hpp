// Files that commands take as an argument, and folders that they make.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.hpp"

namespace traincast {

struct ReportInput {
  std::string file;
  Json document;
};
/// A JSON file; a folder stands for the report.json in it.
ReportInput read_report_or_scenario(const std::string& path);

/// Made where absent; `option` begins the message of the refusal.
std::filesystem::path make_folder(const std::string& option, const std::string& folder);

}  // namespace traincast
