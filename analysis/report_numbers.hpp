// A report as those read it who compare reports: what tells its points apart, and their numbers by key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace traincast {

/// Of report.json; a reader takes no other.
constexpr std::int64_t kReportFormat = 1;

/// What a number tells; comparisons are shown in this order.
enum class NumberKind { bytes, ratio, build_up, error, time };
std::string_view to_string(NumberKind kind);

/// A number of a point, by its place in it: "compression_ratio.wire". Of `tier_bytes` every member is one.
struct NumberKey {
  std::string_view name;
  NumberKind kind;
};
std::span<const NumberKey> number_keys();
/// The key of a number, which for "tier_bytes.nic" is "tier_bytes"; null where there is none.
const NumberKey* key_of_number(std::string_view name);

struct PointNumbers {
  Json coordinates;
  std::string compressor;
  std::uint32_t learners = 1;
  /// For people: "topk density=0.01, 8 learners, /platform/bandwidth 10Gbps". A second point with the same
  /// coordinates ends in "(2)".
  std::string name;
  /// In the order of number_keys(); nothing is a value that is not defined (null).
  std::vector<std::pair<std::string, std::optional<double>>> numbers;

  /// Coordinates, compressor, learners and which of several such; points of two reports with equal ones are
  /// the same point.
  std::string identity;
  const std::optional<double>* find(std::string_view key) const;  ///< null where the point lacks it
};

/// Members in order of name, so that the order in which a scenario writes them does not matter.
Json sorted(const Json& value);

/// Points as report.json and baselines hold them. Refuses, with file and pointer, what is not one. `strict`
/// refuses keys that are no numbers of a point too.
std::vector<PointNumbers> read_points(const JsonReader& list, bool strict);
/// A point with these numbers, in the form in which they are read.
Json to_json(const PointNumbers& point);

struct ReportNumbers {
  std::string file;
  Json traincast;  ///< what made it: versions, gradients
  Json scenario;
  std::vector<PointNumbers> points;
  std::vector<std::string> failed_checks;
  std::vector<std::string> warnings;
};

/// Whether a document is a report, of whatever format, and no scenario.
bool looks_like_report(const Json& document);
/// Refuses, with file and pointer, what is no report of kReportFormat.
ReportNumbers read_report(const Json& document, const std::string& file);

}  // namespace traincast
