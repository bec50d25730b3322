#include "base/json.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/names.hpp"

namespace traincast {

Json::Json() noexcept = default;
Json::Json(bool value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(int value) : value_(std::int64_t{value}) {}
Json::Json(unsigned value) : value_(std::int64_t{value}) {}
Json::Json(std::int64_t value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(INT64_MAX))
    value_ = static_cast<std::int64_t>(value);
  else
    value_ = static_cast<double>(value);
}

double Json::number() const {
  return is_integer() ? static_cast<double>(integer()) : std::get<double>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const auto& [name, value] : members())
    if (name == key) return &value;
  return nullptr;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

const Json& Json::at(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw InputError("key '" + std::string(key) + "' is missing");
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object{};
  if (Json* value = find(key)) return *value;
  members().emplace_back(std::string(key), Json());
  return members().back().second;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  items().push_back(std::move(value));
}

namespace {

nlohmann::ordered_json to_nlohmann(const Json& value) {
  if (value.is_bool()) return value.flag();
  if (value.is_integer()) return value.integer();
  if (value.is_number()) return value.number();
  if (value.is_string()) return value.text();
  if (value.is_array()) {
    auto all = nlohmann::ordered_json::array();
    for (const Json& item : value.items()) all.push_back(to_nlohmann(item));
    return all;
  }
  if (value.is_object()) {
    auto all = nlohmann::ordered_json::object();
    for (const auto& [key, member] : value.members()) all.push_back({key, to_nlohmann(member)});
    return all;
  }
  return nullptr;
}

constexpr std::size_t kDeepest = 64;

// Builds the value from the parser's events; the parser's own tree would keep the last of two equal keys
// silently.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::string file) : file_(std::move(file)) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::uint64_t{value}); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(value); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json(Json::Object{})); }
  bool start_array(std::size_t) override { return open(Json(Json::Array{})); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->find(name))
      throw InputError(file_ + ":" + pointer_join(where(), name) + ": the key stands twice");
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    std::string_view text = error.what();
    auto colon = text.find("parse error");
    throw InputError(file_ + ": not JSON: " + std::string(colon == text.npos ? text : text.substr(colon)));
  }

 private:
  bool put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
    } else {
      (*open_.back())[key_] = std::move(value);
    }
    return true;
  }

  bool open(Json value) {
    if (open_.size() >= kDeepest)
      throw InputError(file_ + ":" + where() + ": nested more than " + std::to_string(kDeepest) + " deep");
    names_.push_back(key_);
    put(std::move(value));
    Json* place = open_.empty()              ? &root_
                  : open_.back()->is_array() ? &open_.back()->items().back()
                                             : open_.back()->find(key_);
    open_.push_back(place);
    return true;
  }

  bool close() {
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  std::string where() const {
    std::string pointer;
    for (std::size_t i = 1; i < open_.size(); ++i)
      pointer = pointer_join(
          pointer, open_[i - 1]->is_array() ? std::to_string(open_[i - 1]->items().size() - 1) : names_[i]);
    return pointer;
  }

  std::string file_;
  Json root_;
  std::string key_;
  std::vector<Json*> open_;
  std::vector<std::string> names_;
};

}  // namespace

std::string Json::dump(int indent) const {
  return to_nlohmann(*this).dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Json Json::parse(std::string_view text, const std::string& file) {
  // The parser takes a NUL byte for the end of the text and would ignore what follows it.
  if (text.find('\0') != text.npos) throw InputError(file + ": not JSON: contains a NUL byte");
  Builder builder(file);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

Json Json::read_file(const std::string& path) { return parse(read_text_file(path), path); }

std::vector<std::string> pointer_tokens(std::string_view pointer) {
  if (!pointer.empty() && pointer.front() != '/')
    throw InputError("'" + std::string(pointer) +
                     "' is no JSON pointer: it begins with '/', as in /platform/bandwidth");
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] == '~') {
      char next = i + 1 < pointer.size() ? pointer[++i] : ' ';
      if (next != '0' && next != '1')
        throw InputError("'" + std::string(pointer) +
                         "' is no JSON pointer: '~' stands before '0' or '1' only");
      tokens.back() += next == '0' ? '~' : '/';
    } else {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

std::string pointer_join(std::string_view pointer, std::string_view token) {
  std::string joined(pointer);
  joined += '/';
  for (char c : token) {
    if (c == '~')
      joined += "~0";
    else if (c == '/')
      joined += "~1";
    else
      joined += c;
  }
  return joined;
}

void set_at_pointer(Json& root, std::string_view pointer, Json value, const std::string& what) {
  Json* place = &root;
  std::string way;
  for (const std::string& token : pointer_tokens(pointer)) {
    if (place->is_array()) {
      std::size_t index = 0;
      auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
      if (error != std::errc{} || end != token.data() + token.size() || index >= place->items().size())
        throw InputError(what + ": '" + token + "' is no index of the " +
                         std::to_string(place->items().size()) + " items at '" + way + "'");
      place = &place->items()[index];
    } else if (place->is_object() || place->is_null()) {
      place = &(*place)[token];
    } else {
      throw InputError(what + ": '" + way + "' is " + place->dump(-1) + ", which has no members");
    }
    way = pointer_join(way, token);
  }
  *place = std::move(value);
}

void JsonReader::refuse(const std::string& why) const { throw PlacedError(file_, pointer_, why); }

void JsonReader::only_object() const {
  if (!value_->is_object()) refuse("must be an object, got " + shown());
}

std::optional<JsonReader> JsonReader::find(std::string_view key) const {
  only_object();
  const Json* member = value_->find(key);
  if (!member) return std::nullopt;
  return JsonReader(*member, file_, pointer_join(pointer_, key));
}

JsonReader JsonReader::at(std::string_view key) const {
  auto member = find(key);
  if (!member) refuse("key '" + std::string(key) + "' is missing");
  return *member;
}

std::vector<JsonReader> JsonReader::items() const {
  if (!value_->is_array()) refuse("must be a list, got " + shown());
  std::vector<JsonReader> all;
  for (std::size_t i = 0; i < value_->items().size(); ++i)
    all.emplace_back(value_->items()[i], file_, pointer_join(pointer_, std::to_string(i)));
  return all;
}

std::string JsonReader::text() const {
  if (!value_->is_string()) refuse("must be a string, got " + shown());
  return value_->text();
}

double JsonReader::number() const {
  if (!value_->is_number()) refuse("must be a number, got " + shown());
  return value_->number();
}

std::int64_t JsonReader::integer() const {
  if (!value_->is_integer()) refuse("must be a whole number, got " + shown());
  return value_->integer();
}

bool JsonReader::flag() const {
  if (!value_->is_bool()) refuse("must be true or false, got " + shown());
  return value_->flag();
}

void JsonReader::only(std::span<const std::string> keys) const {
  only_object();
  for (const auto& [key, member] : value_->members())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      JsonReader(member, file_, pointer_join(pointer_, key)).refuse("unknown key" + known_names(key, keys));
}

std::string JsonReader::shown() const {
  std::string text = value_->dump(-1);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace traincast
