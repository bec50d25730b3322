// What a gate compares with: numbers of a report that somebody looked at, each with its tolerance.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/report_numbers.hpp"

namespace traincast {

/// How far a number may move from the baseline's.
struct Tolerance {
  double absolute = 0;  ///< in the number's own unit
  double relative = 0;  ///< of the baseline's number; the larger of both holds
  enum class Fails { either, above, below } fails = Fails::either;  ///< moves to the other side pass

  double allowed(double baseline) const;
};

struct Baseline {
  std::string file;
  std::string reason;  ///< why it was written as it is
  /// Path of a scenario file relative to the baseline's folder, a scenario, or null where only reports are
  /// compared.
  Json scenario;
  std::vector<std::pair<std::string, Tolerance>> tolerances;  ///< by number key; others are not compared
  std::vector<PointNumbers> points;

  /// That of "tier_bytes.nic", or else that of "tier_bytes"; null where this number is not compared.
  const Tolerance* tolerance(std::string_view number) const;
};

/// Refuses, with file and pointer, what is no baseline.
Baseline read_baseline(const Json& document, const std::string& file);
Json to_json(const Baseline& baseline);

/// Bytes to the byte, ratios and build-up up to rounding, contraction to a millionth (of it; of what is lost
/// by rounding alone, nothing), and a step time that is at most a hundredth longer.
std::vector<std::pair<std::string, Tolerance>> usual_tolerances();

/// The same baseline with the numbers of this report. Refuses a report none of whose points has a number that
/// a tolerance names.
Baseline renewed(Baseline baseline, const ReportNumbers& report, const std::string& reason);

}  // namespace traincast
