// JSON values that keep the order of their members, and a reader that knows where each value stands in which
// file. Stricter than most parsers: duplicate keys, NUL bytes and anything behind the value are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace traincast {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  // All made, copied and destroyed in one place: inline, they are half of what building reports takes to
  // compile.
  Json() noexcept;  ///< null
  Json(bool value);
  Json(double value);
  Json(int value);
  Json(unsigned value);
  Json(std::int64_t value);
  Json(std::uint64_t value);  ///< above 2^63 held as a double
  Json(const char* value);
  Json(std::string_view value);
  Json(std::string value);
  Json(Array value);
  Json(Object value);
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  template <class Values>
  static Json list(const Values& values) {
    Array all;
    for (const auto& value : values) all.emplace_back(value);
    return all;
  }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }

  bool flag() const { return std::get<bool>(value_); }
  std::int64_t integer() const { return std::get<std::int64_t>(value_); }
  double number() const;  ///< integer or not
  const std::string& text() const { return std::get<std::string>(value_); }
  const Array& items() const { return std::get<Array>(value_); }
  Array& items() { return std::get<Array>(value_); }
  const Object& members() const { return std::get<Object>(value_); }
  Object& members() { return std::get<Object>(value_); }

  const Json* find(std::string_view key) const;  ///< null where absent or not an object
  Json* find(std::string_view key);
  const Json& at(std::string_view key) const;  ///< throws InputError where absent
  Json& operator[](std::string_view key);      ///< added at the end where absent; null becomes an object
  void push_back(Json value);                  ///< null becomes an array

  bool operator==(const Json&) const = default;

  std::string dump(int indent = 2) const;  ///< a negative indent gives one line; numbers survive a round trip

  /// Throws InputError that begins with `file` and names line and column, or the JSON pointer of a duplicate
  /// key.
  static Json parse(std::string_view text, const std::string& file);
  static Json read_file(const std::string& path);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Tokens of an RFC 6901 pointer, unescaped; throws InputError where it is not one. "" has none.
std::vector<std::string> pointer_tokens(std::string_view pointer);
std::string pointer_join(std::string_view pointer, std::string_view token);

/// Puts a value where the pointer leads; missing members on the way are made. Throws InputError where the way
/// is barred (through a string, or past the end of an array). `what` begins the message.
void set_at_pointer(Json& root, std::string_view pointer, Json value, const std::string& what);

/// A value together with the file and the pointer that lead to it, so that no caller builds such prefixes
/// itself.
class JsonReader {
 public:
  JsonReader(const Json& value, std::string file, std::string pointer = "")
      : value_(&value), file_(std::move(file)), pointer_(std::move(pointer)) {}

  const Json& value() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& pointer() const { return pointer_; }

  /// "scenario.json:/compressor/density: " + why, thrown as InputError.
  [[noreturn]] void refuse(const std::string& why) const;

  JsonReader at(std::string_view key) const;                   ///< refuses where the key is missing
  std::optional<JsonReader> find(std::string_view key) const;  ///< refuses where this is not an object
  std::vector<JsonReader> items() const;                       ///< refuses where this is not an array

  std::string text() const;
  double number() const;
  std::int64_t integer() const;
  bool flag() const;

  void only_object() const;  ///< refuses anything else
  /// Refuses keys that are not among these, with the nearest known one.
  void only(std::span<const std::string> keys) const;

  /// The value as one line for messages, cut where it is long.
  std::string shown() const;

 private:
  const Json* value_;
  std::string file_;
  std::string pointer_;
};

}  // namespace traincast
