#include "analysis/published/published_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "analysis/published/built_in_published.hpp"
#include "base/error.hpp"
#include "base/names.hpp"

namespace traincast {

namespace {

using Keys = std::vector<std::string>;

struct Quantity {
  const char* name;
  double (*of)(const Json& point, const Json& scenario);
};

double number(const Json& point, const char* key) { return point.at(key).number(); }

constexpr Quantity kQuantities[] = {
    {"step_seconds", [](const Json& point, const Json&) { return number(point, "step_seconds"); }},
    // Samples a second, of all learners.
    {"throughput",
     [](const Json& point, const Json& scenario) {
       return number(point, "learners") * scenario.at("gradients").at("batch").number() /
              number(point, "step_seconds");
     }},
    // Encoded bytes that a learner contributes to the collectives of a step, in the mean.
    {"contributed_bytes",
     [](const Json& point, const Json&) {
       return 4 * number(point, "parameters") / point.at("compression_ratio").at("wire").number();
     }},
    {"compression_ratio",
     [](const Json& point, const Json&) { return point.at("compression_ratio").at("payload").number(); }},
    {"communication_share",
     [](const Json& point, const Json&) {
       return number(point, "exposed_communication_seconds") / number(point, "step_seconds");
     }},
};

Settings read_settings(const JsonReader& at) {
  at.only_object();
  Settings settings;
  for (const auto& [pointer, value] : at.value().members()) {
    if (!pointer.starts_with("/")) at.at(pointer).refuse("is set at a JSON pointer, as in \"/compressor\"");
    settings.emplace_back(pointer, value);
  }
  return settings;
}

std::string text_or(const JsonReader& at, std::string_view key, std::string fallback) {
  auto found = at.find(key);
  return found ? found->text() : fallback;
}

double finite(const JsonReader& at) {
  double value = at.number();
  if (!std::isfinite(value)) at.refuse("must be finite, got " + at.shown());
  return value;
}

bool recalled(const JsonReader& at) {
  std::string quality = at.text();
  if (quality != "seen" && quality != "recalled") at.refuse("must be seen or recalled, got " + at.shown());
  return quality == "recalled";
}

// What the numbers of a table, a row or a column share, unless they say otherwise.
struct Origin {
  std::string source;
  bool recalled = false;
};

Origin origin_at(const JsonReader& at, Origin above) {
  above.source = text_or(at, "source", above.source);
  if (auto quality = at.find("source_quality")) above.recalled = above.recalled || recalled(*quality);
  return above;
}

PublishedNumber read_number(const JsonReader& at, const Origin& above) {
  PublishedNumber number;
  Origin origin = above;
  if (at.value().is_number()) {
    number.value = finite(at);
  } else {
    at.only(Keys{"value", "at_most", "source", "source_quality"});
    number.at_most = at.find("at_most").has_value();
    number.value = finite(at.at(number.at_most ? "at_most" : "value"));
    origin = origin_at(at, above);
  }
  if (!(number.value > 0)) at.refuse("must be above 0, got " + at.shown());
  if (origin.source.empty()) at.refuse("has no source: name one here, or for its row, column or table");
  number.source = origin.source;
  number.recalled = origin.recalled;
  return number;
}

PublishedColumn read_column(const JsonReader& at) {
  at.only(Keys{"name", "quantity", "relative_to", "times", "unit", "set", "source", "source_quality"});
  PublishedColumn column;
  column.name = at.at("name").text();
  column.quantity = at.at("quantity").text();
  Keys known = quantity_names();
  if (std::find(known.begin(), known.end(), column.quantity) == known.end())
    at.at("quantity")
        .refuse("unknown quantity '" + column.quantity + "'" + known_names(column.quantity, known));
  column.relative_to = text_or(at, "relative_to", "");
  if (auto times = at.find("times")) column.times = finite(*times);
  column.unit = at.at("unit").text();
  if (auto set = at.find("set")) column.set = read_settings(*set);
  return column;
}

FreeParameter read_parameter(const JsonReader& at) {
  at.only(Keys{"name", "unit", "why", "low", "high", "row", "column", "rows", "columns", "sets"});
  FreeParameter parameter;
  parameter.name = at.at("name").text();
  parameter.unit = at.at("unit").text();
  parameter.why = at.at("why").text();
  parameter.low = finite(at.at("low"));
  parameter.high = finite(at.at("high"));
  if (!(parameter.low < parameter.high))
    at.at("high").refuse("must be above low, got " + at.at("high").shown());
  parameter.row = text_or(at, "row", "");
  parameter.column = at.at("column").text();
  if (auto rows = at.find("rows"))
    for (const JsonReader& row : rows->items()) parameter.rows.push_back(row.text());
  if (auto columns = at.find("columns"))
    for (const JsonReader& column : columns->items()) parameter.columns.push_back(column.text());
  for (const JsonReader& place : at.at("sets").items()) {
    place.only(Keys{"at", "times", "unit", "per_learner"});
    auto times = place.find("times"), per_learner = place.find("per_learner");
    parameter.places.push_back({place.at("at").text(), times ? finite(*times) : 1.0,
                                text_or(place, "unit", ""), per_learner && per_learner->flag()});
  }
  if (parameter.places.empty()) at.at("sets").refuse("sets nothing");
  return parameter;
}

// Names that refer to rows and columns must be those of the table.
void refuse_dangling(const JsonReader& root, const PublishedTable& table) {
  Keys rows, columns;
  for (const PublishedRow& row : table.rows) rows.push_back(row.name);
  for (const PublishedColumn& column : table.columns) columns.push_back(column.name);
  auto expect = [](const JsonReader& at, const std::string& name, const Keys& known, const char* what) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      at.refuse("there is no " + std::string(what) + " '" + name + "'" + known_names(name, known));
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (!table.columns[i].relative_to.empty())
      expect(root.at("columns").items()[i].at("relative_to"), table.columns[i].relative_to, rows, "row");
  if (table.parameters.empty()) return;
  std::vector<JsonReader> at = root.at("parameters").items();
  for (std::size_t i = 0; i < table.parameters.size(); ++i) {
    const FreeParameter& parameter = table.parameters[i];
    expect(at[i].at("column"), parameter.column, columns, "column");
    for (const std::string& row : parameter.rows) expect(at[i].at("rows"), row, rows, "row");
    for (const std::string& column : parameter.columns)
      expect(at[i].at("columns"), column, columns, "column");
    if (parameter.row.empty())
      for (const PublishedRow& row : table.rows)
        if (parameter.applies_to(row.name) && !row.numbers.contains(parameter.column))
          at[i].refuse("is solved from '" + parameter.column + "', where the row '" + row.name +
                       "' has no number");
    if (parameter.row.empty()) continue;
    expect(at[i].at("row"), parameter.row, rows, "row");
    if (!table.row(parameter.row).numbers.contains(parameter.column))
      at[i].at("row").refuse("has no number in the column '" + parameter.column + "'");
    if (!parameter.applies_to(parameter.row, parameter.column))
      at[i].refuse("does not apply to the number that it is solved from");
  }
}

}  // namespace

bool FreeParameter::applies_to(const std::string& row_name) const {
  return rows.empty() || std::find(rows.begin(), rows.end(), row_name) != rows.end();
}

bool FreeParameter::applies_to(const std::string& row_name, const std::string& column_name) const {
  return applies_to(row_name) &&
         (columns.empty() || std::find(columns.begin(), columns.end(), column_name) != columns.end());
}

const PublishedRow& PublishedTable::row(const std::string& row_name) const {
  for (const PublishedRow& one : rows)
    if (one.name == row_name) return one;
  throw std::logic_error("no row '" + row_name + "'");
}

const PublishedColumn& PublishedTable::column(const std::string& column_name) const {
  for (const PublishedColumn& one : columns)
    if (one.name == column_name) return one;
  throw std::logic_error("no column '" + column_name + "'");
}

std::vector<std::string> quantity_names() {
  std::vector<std::string> names;
  for (const Quantity& quantity : kQuantities) names.emplace_back(quantity.name);
  return names;
}

double quantity_of(const std::string& quantity, const Json& report) {
  for (const Quantity& known : kQuantities)
    if (known.name == quantity) return known.of(report.at("points").items().at(0), report.at("scenario"));
  throw std::logic_error("unknown quantity '" + quantity + "'");
}

PublishedTable read_published_table(const Json& document, const std::string& file) {
  JsonReader root(document, file);
  root.only(Keys{"format", "name", "title", "source", "source_quality", "scenario", "columns", "rows",
                 "parameters", "notes"});
  if (root.at("format").integer() != 1)
    root.at("format").refuse("only format 1 is known, got " + root.at("format").shown());
  PublishedTable table;
  table.file = file;
  table.name = root.at("name").text();
  table.title = root.at("title").text();
  table.scenario = root.at("scenario").value();
  if (auto sweep = root.at("scenario").find("sweep"))
    sweep->refuse("a table's columns and rows set what changes; its scenario is one point");
  const Origin origin = origin_at(root, {});
  std::map<std::string, Origin> of_column;
  for (const JsonReader& at : root.at("columns").items()) {
    PublishedColumn column = read_column(at);
    if (!of_column.emplace(column.name, origin_at(at, origin)).second)
      at.at("name").refuse("is the name of two columns");
    table.columns.push_back(std::move(column));
  }
  for (const JsonReader& at : root.at("rows").items()) {
    at.only(Keys{"name", "set", "numbers", "note", "awaits", "source", "source_quality"});
    PublishedRow row;
    row.name = at.at("name").text();
    for (const PublishedRow& other : table.rows)
      if (other.name == row.name) at.at("name").refuse("is the name of two rows");
    if (auto set = at.find("set")) row.set = read_settings(*set);
    row.note = text_or(at, "note", "");
    row.awaits = text_or(at, "awaits", "");
    JsonReader numbers = at.at("numbers");
    numbers.only_object();
    for (const auto& [column, value] : numbers.value().members()) {
      auto known = of_column.find(column);
      if (known == of_column.end()) numbers.at(column).refuse("there is no column '" + column + "'");
      row.numbers[column] = read_number(numbers.at(column), origin_at(at, known->second));
    }
    table.rows.push_back(std::move(row));
  }
  if (auto parameters = root.find("parameters"))
    for (const JsonReader& at : parameters->items()) table.parameters.push_back(read_parameter(at));
  if (auto notes = root.find("notes"))
    for (const JsonReader& at : notes->items()) table.notes.push_back(at.text());
  refuse_dangling(root, table);
  return table;
}

std::vector<std::string> shipped_table_names() {
  std::vector<std::string> names;
  for (const BuiltInPublished& table : built_in_published()) names.emplace_back(table.name);
  return names;
}

PublishedTable shipped_table(const std::string& name) {
  for (const BuiltInPublished& table : built_in_published())
    if (table.name == name) {
      std::string file = "analysis/published/" + name + ".json";
      return read_published_table(Json::parse(table.text, file), file);
    }
  Keys known = shipped_table_names();
  throw InputError("unknown table '" + name + "'" + known_names(name, known));
}

}  // namespace traincast
