// What a catalog entry can be given: one table per entry, from which reader, schema, help and reference page
// are made.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/units.hpp"

namespace traincast {

/// Marks a parameter without a default.
inline constexpr std::string_view kRequired{};

struct Parameter {
  std::string_view key;
  Unit unit;
  /// "(0, 1]", "[1, inf)" with quantities where the unit is one; "fp32|bf16" for words; "" where anything
  /// goes.
  std::string_view range;
  /// As a scenario would write it (words without quotes); kRequired where there is none.
  std::string_view fallback;
  std::string_view help;
};

/// The checked values of one entry's parameters, in the program's units. Asking for a key that the table
/// lacks, or as another type, is a programming error and asserts.
class Parameters {
 public:
  double number(std::string_view key) const;               ///< ratio, bytes, bytes per second, seconds
  std::vector<double> ratios(std::string_view key) const;  ///< one where a number was written
  std::int64_t count(std::string_view key) const;
  std::vector<std::int64_t> counts(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::pair<std::string, double>> durations(std::string_view key) const;
  const std::string& word(std::string_view key) const;  ///< word or path
  /// Something that the entry reads itself, at its place of the file; lives as long as this.
  JsonReader choice(std::string_view key) const;
  /// The objects of a list, each at its place of the file; they live as long as this.
  std::vector<JsonReader> choices(std::string_view key) const;
  std::string path(std::string_view key) const;  ///< seen from the folder of the file that it was read from

  /// {"name": …, every key with its value as written or its default}: what a report echoes.
  const Json& resolved() const { return resolved_; }

 private:
  friend Parameters read_parameters(const JsonReader&, std::string_view, std::span<const Parameter>);
  const Json& held(std::string_view key) const;
  std::string file_, pointer_;
  Json values_ = Json(Json::Object{});  // quantities as numbers in the program's units
  Json resolved_ = Json(Json::Object{});
};

/// Reads the members of an object (the key "name" is the caller's), or defaults only where the value is a
/// bare string. Refuses unknown keys, missing ones, wrong types, missing units and values out of range, each
/// at its pointer.
Parameters read_parameters(const JsonReader& object, std::string_view name, std::span<const Parameter> table);

/// The parameter as JSON schema (draft 2020-12).
Json schema_of(const Parameter& parameter);

/// "" or why the table itself is wrong (a default out of range, a range that does not parse); a test runs it
/// over every catalog.
std::string table_error(std::span<const Parameter> table);

}  // namespace traincast
