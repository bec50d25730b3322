// A comparison of reports as text, Markdown and JSON.
#include <algorithm>

#include "analysis/comparison.hpp"
#include "analysis/moves.hpp"
#include "analysis/report.hpp"
#include "analysis/text_table.hpp"

namespace traincast {

namespace {

// "A", "B" … "Z", "AA": how the columns name the reports.
std::string letter(std::size_t report) {
  std::string name(1, static_cast<char>('A' + report % 26));
  return report < 26 ? name : letter(report / 26 - 1) + name;
}

// What the table leaves to the JSON: parts of the step, and what follows from it.
bool in_table(const std::string& key) {
  return key_of_number(key)->kind != NumberKind::time || key == "step_seconds" || key == "speedup";
}

std::string shown(const Json& value) {
  constexpr std::size_t kLongest = 28;
  std::string text = value.is_null() ? "-" : value.is_string() ? value.text() : value.dump(-1);
  return text.size() > kLongest ? text.substr(0, kLongest - 3) + "..." : text;
}

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

Table scenario_table(const Comparison& comparison) {
  Table table{{{"scenario", true}}, {}};
  for (std::size_t i = 0; i < comparison.reports.size(); ++i) table.columns.push_back({letter(i)});
  for (const ScenarioChange& change : comparison.scenario) {
    auto& row = table.rows.emplace_back();
    row.push_back(change.pointer);
    for (const Json& value : change.values) row.push_back(shown(value));
  }
  return table;
}

// With two reports the difference stands beside the numbers.
Table number_table(const Comparison& comparison) {
  bool two = comparison.reports.size() == 2;
  Table table{{{"point", true}, {"number", true}}, {}};
  for (std::size_t i = 0; i < comparison.reports.size(); ++i) table.columns.push_back({letter(i)});
  if (two) table.columns.push_back({"moved"});
  for (const ComparedPoint& point : comparison.points) {
    if (!point.shared()) continue;
    bool first = true;
    for (const ComparedNumber& number : point.moved) {
      if (!in_table(number.key)) continue;
      auto& row = table.rows.emplace_back();
      row.push_back(first ? point.name : "");
      first = false;
      row.push_back(number.key);
      for (const std::string& text : told_apart(number.values)) row.push_back(text);
      if (two) row.push_back(relative_difference(number.values[0], number.values[1]));
    }
  }
  return table;
}

std::vector<std::string> sentences(const Comparison& comparison) {
  std::size_t shared = 0, same = 0, hidden = 0;
  std::vector<std::string> all{""};
  for (const ComparedPoint& point : comparison.points) {
    if (point.shared()) {
      ++shared;
      same += point.moved.empty();
      hidden += static_cast<std::size_t>(
          std::ranges::count_if(point.moved, [](const ComparedNumber& n) { return !in_table(n.key); }));
    }
    if (std::ranges::find(point.in, false) == point.in.end()) continue;
    std::string where;
    for (std::size_t i = 0; i < point.in.size(); ++i)
      if (point.in[i]) where += (where.empty() ? "" : " and ") + letter(i);
    all.push_back("only in " + where + ": " + point.name);
  }
  all[0] = std::to_string(shared) + (shared == 1 ? " point" : " points") + " in common, " +
           std::to_string(same) + " with the same numbers";
  if (hidden > 0) all[0] += "; " + std::to_string(hidden) + " further times moved, see --format json";
  return all;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::string text;
  for (std::size_t i = 0; i < comparison.reports.size(); ++i)
    text += letter(i) + "  " + comparison.reports[i] + "\n";
  for (const Table& table : {scenario_table(comparison), number_table(comparison)})
    if (!table.rows.empty()) text += "\n" + render_table(table.columns, table.rows);
  text += "\n";
  for (const std::string& sentence : sentences(comparison)) text += wrapped(sentence);
  return text;
}

std::string to_markdown(const Comparison& comparison) {
  std::string text = "### traincast compare\n\n";
  for (std::size_t i = 0; i < comparison.reports.size(); ++i)
    text += "- " + letter(i) + ": `" + comparison.reports[i] + "`\n";
  for (const Table& table : {scenario_table(comparison), number_table(comparison)})
    if (!table.rows.empty()) text += "\n" + markdown_table(table.columns, table.rows);
  text += "\n";
  for (const std::string& sentence : sentences(comparison)) text += "- " + sentence + "\n";
  return text;
}

Json to_json(const Comparison& comparison) {
  Json json;
  json["reports"] = Json::list(comparison.reports);
  json["scenario"] = Json::Array{};
  for (const ScenarioChange& change : comparison.scenario) {
    Json one;
    one["pointer"] = change.pointer;
    one["values"] = change.values;
    json["scenario"].push_back(one);
  }
  json["points"] = Json::Array{};
  for (const ComparedPoint& point : comparison.points) {
    Json one;
    one["name"] = point.name;
    one["in"] = Json::Array{};
    for (std::size_t i = 0; i < point.in.size(); ++i)
      if (point.in[i]) one["in"].push_back(comparison.reports[i]);
    one["moved"] = Json::Object{};
    for (const ComparedNumber& number : point.moved) {
      Json values = Json::Array{};
      for (const auto& value : number.values) values.push_back(value ? Json(*value) : Json());
      one["moved"][number.key] = values;
    }
    json["points"].push_back(one);
  }
  return json;
}

}  // namespace traincast
