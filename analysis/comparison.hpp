// What differs between reports: in their scenarios, and number by number at the points that they share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/report_numbers.hpp"

namespace traincast {

/// A place of the scenario, or of what made the report, and what stands there in each; null where nothing.
struct ScenarioChange {
  std::string pointer;
  std::vector<Json> values;  ///< by report
};

struct ComparedNumber {
  std::string key;
  std::vector<std::optional<double>> values;  ///< by report; nothing where it is not defined, or not there
};

struct ComparedPoint {
  std::string name;
  std::vector<bool> in;               ///< which reports have it
  std::vector<ComparedNumber> moved;  ///< not the same in all that have it
  bool shared() const;                ///< by two at least
};

struct Comparison {
  std::vector<std::string> reports;  ///< files
  std::vector<ScenarioChange> scenario;
  std::vector<ComparedPoint> points;  ///< of all reports, in order of first appearance
};

/// Two points are the same where compressor, learners and the values on every axis of any of the reports are
/// equal; a report without an axis has its scenario's value there.
Comparison compare(const std::vector<ReportNumbers>& reports);

/// At most 100 columns for two reports. Times other than the step's are in the JSON only.
std::string to_text(const Comparison& comparison);
std::string to_markdown(const Comparison& comparison);
Json to_json(const Comparison& comparison);

}  // namespace traincast
