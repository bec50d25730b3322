// Validated tables for people: on a terminal, and in Markdown; and for programs, as JSON.
#include <cmath>
#include <cstdio>

#include "analysis/published/validation.hpp"
#include "analysis/report.hpp"
#include "analysis/text_table.hpp"

namespace traincast {

namespace {

const std::vector<Column> kColumns{{"row", true}, {"column", true}, {"predicted"},
                                   {"published"}, {"error"},        {"solved from it", true}};

std::string shown(double value) {
  char text[32];
  constexpr double kWhole = 1e4;
  std::snprintf(text, sizeof text, std::fabs(value) >= kWhole ? "%.0f" : "%.4g", value);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.1f %%", 100 * share);
  return text;
}

std::string magnitude(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * std::fabs(share));
  return text;
}

// "1.23 *": recalled; "<3": published as a bound.
std::string published_of(const ValidatedNumber& number) {
  return (number.at_most ? "<" : "") + shown(number.published) + (number.recalled ? " *" : "");
}

// "compute 312.6 ms": what was solved from a number.
std::string solved_from(const ValidatedTable& table, const ValidatedNumber& number) {
  std::string text;
  for (const SolvedParameter& parameter : table.parameters) {
    if (parameter.row != number.row || parameter.column != number.column) continue;
    text += (text.empty() ? "" : ", ") + parameter.name + " " + shown(parameter.value) +
            (parameter.unit.empty() ? "" : " " + parameter.unit) +
            (parameter.reached ? "" : " (out of reach)");
  }
  return text;
}

// The unit of all columns; empty where they differ.
std::string common_unit(const PublishedTable& table) {
  for (const PublishedColumn& column : table.columns)
    if (column.unit != table.columns.front().unit) return "";
  return table.columns.empty() ? "" : table.columns.front().unit;
}

std::string head_of(const PublishedTable& table) {
  std::string unit = common_unit(table);
  return table.title + (unit.empty() ? "" : " (" + unit + ")");
}

std::vector<std::vector<std::string>> rows_of(const ValidatedTable& table) {
  const bool one_unit = !common_unit(table.table).empty();
  std::vector<std::vector<std::string>> rows;
  std::string last;
  for (const ValidatedNumber& number : table.numbers) {
    rows.push_back({number.row == last ? "" : number.row,
                    number.column + (one_unit ? "" : " (" + number.unit + ")"), shown(number.predicted),
                    published_of(number),
                    number.calibrates && std::fabs(number.error()) < 1e-4 ? "" : percent(number.error()),
                    solved_from(table, number)});
    last = number.row;
  }
  return rows;
}

std::string sentence(const ErrorSummary& summary, const std::string& what) {
  if (summary.count == 0) return "";
  return std::to_string(summary.count) + " " + what + ": median error " + magnitude(summary.median) +
         ", worst " + percent(summary.worst) + " (" + summary.worst_name + ")";
}

// Of one table or of all.
std::vector<std::string> sentences(const std::vector<ValidatedTable>& tables) {
  std::vector<std::string> all;
  for (const std::string& one :
       {sentence(summary_of(tables, Selected::seen_times), "times and shares predicted"),
        sentence(summary_of(tables, Selected::seen_bytes), "sizes predicted"),
        sentence(
            summary_of(tables, Selected::recalled),
            "more beside numbers or settings that are recalled, not read (*), and count in no median above")})
    if (!one.empty()) all.push_back(one);
  return all;
}

// Without the list of all known names.
std::string brief(const std::string& reason) { return reason.substr(0, reason.find("; known: ")); }

std::string escaped(const std::string& text) {
  std::string all;
  for (char c : text) all += c == '|' || c == '*' || c == '<' ? std::string("\\") + c : std::string(1, c);
  return all;
}

Json to_json(const ErrorSummary& summary) {
  Json json;
  json["count"] = static_cast<std::uint64_t>(summary.count);
  json["median"] = summary.count ? Json(summary.median) : Json();
  json["worst"] = summary.count ? Json(summary.worst) : Json();
  json["worst_of"] = summary.worst_name;
  return json;
}

Json summaries(const std::vector<ValidatedTable>& tables) {
  Json json;
  json["times"] = to_json(summary_of(tables, Selected::seen_times));
  json["sizes"] = to_json(summary_of(tables, Selected::seen_bytes));
  json["recalled"] = to_json(summary_of(tables, Selected::recalled));
  return json;
}

}  // namespace

std::string to_text(const std::vector<ValidatedTable>& tables) {
  std::string text;
  for (const ValidatedTable& table : tables) {
    text += wrapped(table.table.name + ": " + head_of(table.table));
    if (!table.numbers.empty()) text += "\n" + render_table(kColumns, rows_of(table));
    text += "\n";
    for (const AwaitingRow& row : table.awaiting)
      text += wrapped("not run: " + row.row + ": " + brief(row.reason));
    for (const std::string& failed : table.failed_checks)
      text += wrapped("a run's own check failed: " + failed);
    for (const PublishedRow& row : table.table.rows)
      if (!row.note.empty()) text += wrapped(row.name + ": " + row.note);
    for (const std::string& note : table.table.notes) text += wrapped(note);
    if (tables.size() > 1)
      for (const std::string& one : sentences({table})) text += wrapped(one);
    text += "\n";
  }
  if (tables.size() > 1) text += "all tables\n";
  for (const std::string& one : sentences(tables)) text += wrapped(one);
  return text;
}

std::string to_markdown(const std::vector<ValidatedTable>& tables) {
  std::string text;
  for (const ValidatedTable& table : tables) {
    text += "### " + head_of(table.table) + "\n\n";
    text += "|";
    for (const Column& column : kColumns) text += " " + column.head + " |";
    text += "\n|";
    for (const Column& column : kColumns) text += column.left ? " --- |" : " ---: |";
    text += "\n";
    for (const auto& row : rows_of(table)) {
      text += "|";
      for (const std::string& cell : row) text += " " + escaped(cell) + " |";
      text += "\n";
    }
    text += "\n";
    for (const AwaitingRow& row : table.awaiting)
      text += "- not run: " + escaped(row.row) + ": " + escaped(brief(row.reason)) + "\n";
    for (const std::string& note : table.table.notes) text += "- " + escaped(note) + "\n";
    if (!table.awaiting.empty() || !table.table.notes.empty()) text += "\n";
  }
  for (const std::string& one : sentences(tables)) text += escaped(one) + "\n\n";
  return text;
}

Json to_json(const std::vector<ValidatedTable>& tables) {
  Json json;
  json["format"] = 1;
  json["tables"] = Json::Array{};
  for (const ValidatedTable& table : tables) {
    Json one;
    one["name"] = table.table.name;
    one["title"] = table.table.title;
    one["runs"] = static_cast<std::uint64_t>(table.runs);
    for (const char* key : {"parameters", "numbers", "awaiting", "failed_checks"}) one[key] = Json::Array{};
    for (const SolvedParameter& parameter : table.parameters) {
      Json solved;
      solved["name"] = parameter.name;
      solved["value"] = parameter.value;
      solved["unit"] = parameter.unit;
      solved["row"] = parameter.row;
      solved["column"] = parameter.column;
      solved["reached"] = parameter.reached;
      one["parameters"].push_back(solved);
    }
    for (const ValidatedNumber& number : table.numbers) {
      Json cell;
      cell["row"] = number.row;
      cell["column"] = number.column;
      cell["unit"] = number.unit;
      cell["predicted"] = number.predicted;
      cell["published"] = number.published;
      cell["at_most"] = number.at_most;
      cell["error"] = number.error();
      cell["calibrates"] = number.calibrates;
      cell["source_quality"] = number.recalled ? "recalled" : "seen";
      cell["source"] = number.source;
      one["numbers"].push_back(cell);
    }
    for (const AwaitingRow& row : table.awaiting) {
      Json waiting;
      waiting["row"] = row.row;
      waiting["reason"] = row.reason;
      one["awaiting"].push_back(waiting);
    }
    for (const std::string& failed : table.failed_checks) one["failed_checks"].push_back(failed);
    one["summary"] = summaries({table});
    json["tables"].push_back(one);
  }
  json["summary"] = summaries(tables);
  return json;
}

}  // namespace traincast
