#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace traincast {

std::string_view to_string(Unit unit) {
  switch (unit) {
    case Unit::ratio: return "number";
    case Unit::ratios: return "number or list of numbers";
    case Unit::count: return "whole number";
    case Unit::counts: return "list of whole numbers";
    case Unit::flag: return "true or false";
    case Unit::word: return "word";
    case Unit::path: return "path";
    case Unit::bytes: return "size";
    case Unit::bandwidth: return "bandwidth";
    case Unit::choice: return "name or object";
    case Unit::choices: return "list of objects";
    case Unit::duration: return "duration";
    case Unit::durations: return "list of durations by name";
  }
  return "";
}

std::string_view example(Unit unit) {
  switch (unit) {
    case Unit::ratio: return "0.01";
    case Unit::ratios: return "[0.5, 0.25]";
    case Unit::count: return "8";
    case Unit::counts: return "[128, 64]";
    case Unit::flag: return "true";
    case Unit::word: return "\"auto\"";
    case Unit::path: return "\"trace\"";
    case Unit::bytes: return "\"25MiB\"";
    case Unit::bandwidth: return "\"10Gbps\"";
    case Unit::choice: return "\"none\"";
    case Unit::choices: return "[{\"compressor\": \"none\"}]";
    case Unit::duration: return "\"5us\"";
    case Unit::durations: return "{\"topk\": \"2ms\"}";
  }
  return "";
}

namespace {

using Scale = std::pair<std::string_view, double>;

constexpr std::array<Scale, 9> kPrefixes{{{"Ki", 1024.0},
                                          {"Mi", 1048576.0},
                                          {"Gi", 1073741824.0},
                                          {"Ti", 1099511627776.0},
                                          {"k", 1e3},
                                          {"M", 1e6},
                                          {"G", 1e9},
                                          {"T", 1e12},
                                          {"", 1.0}}};
constexpr std::array<Scale, 4> kDurations{{{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1.0}}};

std::optional<double> prefixed(std::string_view suffix, std::string_view base) {
  if (!suffix.ends_with(base)) return std::nullopt;
  suffix.remove_suffix(base.size());
  for (auto [prefix, scale] : kPrefixes)
    if (suffix == prefix) return scale;
  return std::nullopt;
}

std::optional<double> scale_of(std::string_view suffix, Unit unit) {
  if (unit == Unit::bytes) return prefixed(suffix, "B");
  if (unit == Unit::bandwidth) {
    if (auto bits = prefixed(suffix, "bps")) return *bits / 8;
    return prefixed(suffix, "Bps");
  }
  if (unit == Unit::duration)
    for (auto [name, scale] : kDurations)
      if (suffix == name) return scale;
  return std::nullopt;
}

std::string scaled(double value, double step, std::string_view unit, const char* prefixes) {
  double magnitude = std::fabs(value);
  int at = 0;
  for (; magnitude >= step * 0.9995 && prefixes[at + 1] != '\0'; ++at) magnitude /= step;
  char text[64];
  int decimals = magnitude >= 99.95 || magnitude == 0 ? 0 : magnitude >= 9.995 ? 1 : 2;
  int used = std::snprintf(text, sizeof text, "%.*f", decimals, std::copysign(magnitude, value));
  std::string result(text, static_cast<std::size_t>(used));
  if (result.find('.') != std::string::npos) {
    result.erase(result.find_last_not_of('0') + 1);
    if (result.back() == '.') result.pop_back();
  }
  result += ' ';
  if (prefixes[at] != ' ') result += prefixes[at];
  return result.append(unit);
}

}  // namespace

std::optional<double> parse_quantity(std::string_view text, Unit unit) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (suffix.starts_with(' ')) suffix.remove_prefix(1);
  auto scale = scale_of(suffix, unit);
  if (!scale) return std::nullopt;
  return value * *scale;
}

std::string format_bytes(double bytes) { return scaled(bytes, 1000, "B", " kMGTPE"); }

std::string format_bandwidth(double bytes_per_second) {
  return scaled(bytes_per_second * 8, 1000, "b/s", " kMGTPE");
}

std::string format_seconds(double seconds) {
  if (seconds == 0 || std::fabs(seconds) >= 0.9995) return scaled(seconds, 1e30, "s", " ");
  return scaled(seconds * 1e9, 1000, "s", "num");
}

}  // namespace traincast
