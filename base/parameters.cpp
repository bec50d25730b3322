#include "base/parameters.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "base/names.hpp"

namespace traincast {

namespace {

struct Interval {
  double low, high;
  bool low_open, high_open;
  bool holds(double x) const { return (low_open ? x > low : x >= low) && (high_open ? x < high : x <= high); }
};

bool is_quantity(Unit unit) {
  return unit == Unit::bytes || unit == Unit::bandwidth || unit == Unit::duration;
}

double bound(std::string_view text, Unit unit) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (auto quantity = parse_quantity(text, unit == Unit::durations ? Unit::duration : unit)) return *quantity;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw InputError("range bound '" + std::string(text) + "' is no number");
  return value;
}

Interval parse_range(std::string_view range, Unit unit) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (range.empty()) return {-kInfinity, kInfinity, false, false};
  auto comma = range.find(", ");
  if (range.size() < 5 || comma == range.npos || (range.front() != '(' && range.front() != '[') ||
      (range.back() != ')' && range.back() != ']'))
    throw InputError("range '" + std::string(range) + "' is not of the form (0, 1]");
  return {bound(range.substr(1, comma - 1), unit),
          bound(range.substr(comma + 2, range.size() - comma - 3), unit), range.front() == '(',
          range.back() == ')'};
}

std::vector<std::string> words_of(std::string_view range) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= range.size();) {
    auto end = std::min(range.find('|', begin), range.size());
    words.emplace_back(range.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string a(Unit unit) { return "a " + std::string(to_string(unit)); }

// The value in the program's units.
Json read_value(const JsonReader& at, const Parameter& p) {
  auto in_range = [&](double x) {
    if (!parse_range(p.range, p.unit).holds(x))
      at.refuse("must lie in " + std::string(p.range) + ", got " + at.shown());
  };
  switch (p.unit) {
    case Unit::flag: return at.flag();
    case Unit::path: return at.text();
    case Unit::word: {
      auto words = words_of(p.range);
      std::string word = at.text();
      if (!p.range.empty() && std::find(words.begin(), words.end(), word) == words.end())
        at.refuse("unknown word '" + word + "'" + known_names(word, words));
      return word;
    }
    case Unit::ratio: {
      double x = at.number();
      in_range(x);
      return x;
    }
    case Unit::ratios: {
      const Parameter one{p.key, Unit::ratio, p.range, kRequired, p.help};
      if (!at.value().is_array()) return read_value(at, one);
      for (const JsonReader& item : at.items()) read_value(item, one);
      return at.value();
    }
    case Unit::count: {
      std::int64_t n = at.integer();
      in_range(static_cast<double>(n));
      return n;
    }
    case Unit::counts: {
      for (const JsonReader& item : at.items()) {
        if (!parse_range(p.range, p.unit).holds(static_cast<double>(item.integer())))
          item.refuse("must lie in " + std::string(p.range) + ", got " + item.shown());
      }
      return at.value();
    }
    case Unit::choice: return at.value();
    case Unit::choices:
      for (const JsonReader& item : at.items()) item.only_object();
      return at.value();
    case Unit::durations: {
      at.only_object();
      Json seconds{Json::Object{}};
      for (const auto& [key, value] : at.value().members()) {
        Parameter one{key, Unit::duration, p.range, kRequired, p.help};
        seconds[key] = read_value(at.at(key), one);
      }
      return seconds;
    }
    case Unit::bytes:
    case Unit::bandwidth:
    case Unit::duration: break;
  }
  if (!at.value().is_string())
    at.refuse("must be " + a(p.unit) + " with its unit, as in " + std::string(example(p.unit)) + ", got " +
              at.shown());
  auto quantity = parse_quantity(at.value().text(), p.unit);
  if (!quantity)
    at.refuse("is not " + a(p.unit) + " with its unit, as in " + std::string(example(p.unit)) + ": got " +
              at.shown());
  in_range(*quantity);
  return *quantity;
}

// Defaults are written as in a scenario; words and quantities without their quotes.
Json default_of(const Parameter& p) {
  if (p.unit == Unit::word || p.unit == Unit::path || p.unit == Unit::choice || is_quantity(p.unit))
    return p.fallback;
  return Json::parse(p.fallback, "default of '" + std::string(p.key) + "'");
}

bool required(const Parameter& p) { return p.fallback.data() == nullptr; }

}  // namespace

const Json& Parameters::held(std::string_view key) const {
  const Json* value = values_.find(key);
  assert(value && "the entry's table lacks this parameter");
  return *value;
}

double Parameters::number(std::string_view key) const { return held(key).number(); }
std::int64_t Parameters::count(std::string_view key) const { return held(key).integer(); }

std::vector<double> Parameters::ratios(std::string_view key) const {
  const Json& value = held(key);
  if (!value.is_array()) return {value.number()};
  std::vector<double> all;
  for (const Json& item : value.items()) all.push_back(item.number());
  return all;
}

bool Parameters::flag(std::string_view key) const { return held(key).flag(); }
const std::string& Parameters::word(std::string_view key) const { return held(key).text(); }

std::string Parameters::path(std::string_view key) const {
  return (std::filesystem::path(file_).parent_path() / word(key)).string();
}

std::vector<std::int64_t> Parameters::counts(std::string_view key) const {
  std::vector<std::int64_t> all;
  for (const Json& item : held(key).items()) all.push_back(item.integer());
  return all;
}

JsonReader Parameters::choice(std::string_view key) const {
  return JsonReader(held(key), file_, pointer_join(pointer_, key));
}

std::vector<JsonReader> Parameters::choices(std::string_view key) const { return choice(key).items(); }

std::vector<std::pair<std::string, double>> Parameters::durations(std::string_view key) const {
  std::vector<std::pair<std::string, double>> all;
  for (const auto& [name, seconds] : held(key).members()) all.emplace_back(name, seconds.number());
  return all;
}

Parameters read_parameters(const JsonReader& object, std::string_view name,
                           std::span<const Parameter> table) {
  Parameters result;
  result.file_ = object.file();
  result.pointer_ = object.pointer();
  if (!name.empty()) result.resolved_["name"] = name;
  bool bare = object.value().is_string();
  if (!bare) {
    std::vector<std::string> keys;
    if (!name.empty()) keys.emplace_back("name");
    for (const Parameter& p : table) keys.emplace_back(p.key);
    object.only(keys);
  }
  for (const Parameter& p : table) {
    std::optional<JsonReader> given;
    if (!bare) given = object.find(p.key);
    if (!given && required(p))
      object.refuse("key '" + std::string(p.key) + "' is missing (" + std::string(to_string(p.unit)) +
                    (p.range.empty() ? "" : " in " + std::string(p.range)) + ": " + std::string(p.help) +
                    ")");
    Json written = given ? given->value() : default_of(p);
    JsonReader reader =
        given ? *given : JsonReader(written, object.file(), pointer_join(object.pointer(), p.key));
    result.values_[p.key] = read_value(reader, p);
    result.resolved_[p.key] = written;
  }
  return result;
}

Json schema_of(const Parameter& p) {
  Json schema;
  auto numeric = [&](Json& target) {
    Interval range = parse_range(p.range, p.unit);
    if (std::isfinite(range.low)) target[range.low_open ? "exclusiveMinimum" : "minimum"] = range.low;
    if (std::isfinite(range.high)) target[range.high_open ? "exclusiveMaximum" : "maximum"] = range.high;
  };
  switch (p.unit) {
    case Unit::flag: schema["type"] = "boolean"; break;
    case Unit::ratio:
      schema["type"] = "number";
      numeric(schema);
      break;
    case Unit::ratios:
      schema["type"] = Json::list(std::vector<std::string>{"number", "array"});
      numeric(schema);
      schema["items"]["type"] = "number";
      numeric(schema["items"]);
      break;
    case Unit::count:
      schema["type"] = "integer";
      numeric(schema);
      break;
    case Unit::counts: {
      Json item;
      item["type"] = "integer";
      numeric(item);
      schema["type"] = "array";
      schema["items"] = item;
      break;
    }
    case Unit::word:
      if (p.range.empty())
        schema["type"] = "string";
      else
        schema["enum"] = Json::list(words_of(p.range));
      break;
    case Unit::durations: {
      Json item;
      item["type"] = "string";
      schema["type"] = "object";
      schema["additionalProperties"] = item;
      break;
    }
    case Unit::choice: schema["type"] = Json::list(std::vector<std::string>{"string", "object"}); break;
    case Unit::choices:
      schema["type"] = "array";
      schema["items"]["type"] = "object";
      break;
    case Unit::path: schema["type"] = "string"; break;
    case Unit::bytes:
      schema["type"] = "string";
      schema["pattern"] = "^[0-9.eE+-]+ ?(k|M|G|T|Ki|Mi|Gi|Ti)?B$";
      break;
    case Unit::bandwidth:
      schema["type"] = "string";
      schema["pattern"] = "^[0-9.eE+-]+ ?(k|M|G|T|Ki|Mi|Gi|Ti)?[bB]ps$";
      break;
    case Unit::duration:
      schema["type"] = "string";
      schema["pattern"] = "^[0-9.eE+-]+ ?(ns|us|ms|s)$";
      break;
  }
  std::string text(p.help);
  if (is_quantity(p.unit) && !p.range.empty()) text += "; in " + std::string(p.range);
  schema["description"] = text;
  if (!required(p)) schema["default"] = default_of(p);
  return schema;
}

std::string table_error(std::span<const Parameter> table) {
  for (const Parameter& p : table) {
    try {
      if (p.help.empty()) throw InputError("no help");
      if (p.unit != Unit::word && p.unit != Unit::path && p.unit != Unit::flag) parse_range(p.range, p.unit);
      if (!required(p)) {
        Json value = default_of(p);
        read_value(JsonReader(value, "table", pointer_join("", p.key)), p);
      }
    } catch (const InputError& error) {
      return std::string(p.key) + ": " + error.what();
    }
  }
  return "";
}

}  // namespace traincast
