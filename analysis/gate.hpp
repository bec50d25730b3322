// Holds a report against a baseline, and says what moved: as text, and as continuous integration reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/baseline.hpp"

namespace traincast {

/// A number that is not the baseline's.
struct Move {
  std::string key;
  std::optional<double> before, now;      ///< nothing: not defined
  bool new_number = false, gone = false;  ///< one of the two sides lacks it
  double allowed = 0;
  enum class Verdict { fails, tolerated, other_side } verdict = Verdict::fails;
};

struct PointVerdict {
  std::string name, compressor;
  enum class State { held, moved, missing, added } state = State::held;  ///< held: within the tolerances
  std::vector<Move> moves;
};

struct GateVerdict {
  std::string baseline, report;            ///< files
  std::vector<PointVerdict> points;        ///< the baseline's in its order, then those that it lacks
  std::vector<std::string> failed_checks;  ///< of the report itself
  bool timings = false;                    ///< whether times were compared
  bool passed() const;
};

/// Times, and what is made of them, are compared with `timings` only.
GateVerdict check_against(const Baseline& baseline, const ReportNumbers& report, bool timings);

/// What moved, and a sentence at the end; at most 100 columns.
std::string to_text(const GateVerdict& verdict);
/// What moved, where the baseline is written anew with it.
std::string to_text_of_update(const GateVerdict& verdict);
/// The same for a pull request.
std::string to_markdown(const GateVerdict& verdict);
/// One test case a point.
std::string to_junit(const GateVerdict& verdict);
/// One workflow command a failure: GitHub shows them beside the baseline.
std::string to_github_annotations(const GateVerdict& verdict);

}  // namespace traincast
