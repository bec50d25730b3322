// How wrong predictions are: published numbers beside those of the same scenarios.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/published/published_table.hpp"
#include "analysis/runner.hpp"

namespace traincast {

struct SolvedParameter {
  std::string name, unit;
  std::string row, column;  ///< of the number that it was solved from
  double value = 0;
  bool reached = true;  ///< false: no value in its range gives that number; this one comes nearest
};

struct ValidatedNumber {
  std::string row, column, unit, source;
  double published = 0, predicted = 0;
  bool at_most = false;
  bool calibrates = false;  ///< a parameter was solved from it: no prediction
  bool recalled = false;
  bool bytes = false;  ///< counted bytes, which leave no room for error; else times

  /// predicted / published − 1; 0 where a bound is kept.
  double error() const;
};

struct AwaitingRow {
  std::string row;
  std::size_t numbers = 0;
  std::string reason;  ///< as the scenario's reader gives it
};

struct ValidatedTable {
  PublishedTable table;
  std::vector<SolvedParameter> parameters;
  std::vector<ValidatedNumber> numbers;
  std::vector<AwaitingRow> awaiting;
  std::vector<std::string> failed_checks;  ///< of the reports of its runs
  std::size_t runs = 0;
};

/// Solves the table's parameters from the numbers that it names, then predicts all others. Parameters of the
/// whole table come first, one after the other until all numbers are met at once; then each row's own.
ValidatedTable validate(const PublishedTable& table, const Runner& run, const Refusal& refuses);

/// Magnitudes of errors of what was predicted, not of what calibrated.
struct ErrorSummary {
  std::size_t count = 0;
  double median = 0;
  double worst = 0;        ///< signed
  std::string worst_name;  ///< "table: row, column"
};
enum class Selected { seen_times, seen_bytes, recalled };
ErrorSummary summary_of(const std::vector<ValidatedTable>& tables, Selected selected);

std::string to_text(const std::vector<ValidatedTable>& tables);
std::string to_markdown(const std::vector<ValidatedTable>& tables);
Json to_json(const std::vector<ValidatedTable>& tables);

}  // namespace traincast
