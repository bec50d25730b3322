// Published tables and figures as data: what was measured, where it stands, and the scenario behind each
// number. The folder analysis/published holds them, and they are built into the program.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace traincast {

/// Values put into the scenario, by JSON pointer.
using Settings = std::vector<std::pair<std::string, Json>>;

struct PublishedNumber {
  double value = 0;
  bool at_most = false;   ///< published as a bound: "less than 3 %"
  bool recalled = false;  ///< or its setting: not read in its source but remembered; kept out of medians
  std::string source;
};

struct PublishedColumn {
  std::string name;
  std::string quantity;     ///< one of quantity_names()
  std::string relative_to;  ///< a row: the number is that row's quantity over this one's
  double times = 1;         ///< into the table's unit
  std::string unit;
  Settings set;
};

struct PublishedRow {
  std::string name;
  Settings set;
  std::map<std::string, PublishedNumber> numbers;  ///< by column
  std::string note;
  /// Not empty: what this version may lack; the row is listed with the reader's reason until it can be run.
  std::string awaits;
};

/// What the publication does not tell, and what is solved from one of its numbers by running the scenario.
struct FreeParameter {
  struct Place {
    std::string pointer;  ///< "{compressor}" in it is the row's method
    double times = 1;
    std::string unit;          ///< behind the number, which is text then; "" for a plain number
    bool per_learner = false;  ///< times the scenario's number of learners
  };
  std::string name, unit, why;
  double low = 0, high = 0;  ///< between which it is searched
  std::string row, column;   ///< of the number; an empty row: each row that it applies to has its own
  std::vector<std::string> rows, columns;  ///< to which it applies; empty: all
  std::vector<Place> places;

  bool applies_to(const std::string& row_name) const;
  bool applies_to(const std::string& row_name, const std::string& column_name) const;
};

struct PublishedTable {
  std::string name, title, file;
  Json scenario;
  std::vector<PublishedColumn> columns;
  std::vector<PublishedRow> rows;
  std::vector<FreeParameter> parameters;
  std::vector<std::string> notes;

  const PublishedRow& row(const std::string& row_name) const;
  const PublishedColumn& column(const std::string& column_name) const;
};

/// Throws InputError that names file and pointer; so too where a number has no source.
PublishedTable read_published_table(const Json& document, const std::string& file);

/// What a number of a table may be, of a report with one point.
std::vector<std::string> quantity_names();
double quantity_of(const std::string& quantity, const Json& report);

/// The tables of analysis/published, by name.
std::vector<std::string> shipped_table_names();
PublishedTable shipped_table(const std::string& name);

}  // namespace traincast
