#include "analysis/report_numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/names.hpp"

namespace traincast {

namespace {

constexpr std::string_view kTierBytes = "tier_bytes";
constexpr std::array<std::string_view, 3> kIdentityKeys{"coordinates", "compressor", "learners"};

constexpr NumberKey kNumbers[] = {
    {"bytes_sent_per_learner", NumberKind::bytes},
    {"bytes_sent_per_learner_max", NumberKind::bytes},
    {kTierBytes, NumberKind::bytes},
    {"compression_ratio.payload", NumberKind::ratio},
    {"compression_ratio.wire", NumberKind::ratio},
    {"compression_ratio.traffic", NumberKind::ratio},
    {"build_up.final", NumberKind::build_up},
    {"build_up.independent", NumberKind::build_up},
    {"relative_error", NumberKind::error},
    {"contraction", NumberKind::error},
    {"step_seconds", NumberKind::time},
    {"compute_seconds", NumberKind::time},
    {"encode_seconds", NumberKind::time},
    {"decode_seconds", NumberKind::time},
    {"communication_seconds", NumberKind::time},
    {"exposed_encode_seconds", NumberKind::time},
    {"exposed_communication_seconds", NumberKind::time},
    {"exposed_decode_seconds", NumberKind::time},
    {"wait_seconds", NumberKind::time},
    {"slowdown_seconds", NumberKind::time},
    {"speedup", NumberKind::time},
    {"speedup_over_fp32", NumberKind::time},
    {"scaling_speedup", NumberKind::time},
    {"scaling_efficiency", NumberKind::time},
};

std::string in_full(const Json& value) { return value.is_string() ? value.text() : value.dump(-1); }

// {"name": "topk", "density": 0.01} is "topk density=0.01".
std::string shown_choice(const Json& value) {
  const Json* name = value.find("name");
  if (!name) return in_full(value);
  std::string text = in_full(*name);
  for (const auto& [key, member] : value.members())
    if (key != "name") text += " " + key + "=" + in_full(member);
  return text;
}

std::string name_of(const PointNumbers& point) {
  const Json* method = std::as_const(point.coordinates).find("/compressor");
  std::string name = method ? shown_choice(*method) : point.compressor;
  name += ", " + std::to_string(point.learners) + (point.learners == 1 ? " learner" : " learners");
  for (const auto& [pointer, value] : point.coordinates.members())
    if (pointer != "/compressor" && pointer != "/learners")
      name += ", " + pointer + " " + shown_choice(value);
  return name;
}

std::optional<double> number_at(const JsonReader& at) {
  if (at.value().is_null()) return std::nullopt;
  double value = at.number();
  if (!std::isfinite(value)) at.refuse("must be finite or null");
  return value;
}

void read_numbers(const JsonReader& at, PointNumbers& point) {
  for (const NumberKey& key : number_keys()) {
    if (key.name == kTierBytes) {
      auto tiers = at.find(kTierBytes);
      if (!tiers) continue;
      tiers->only_object();
      for (const auto& [tier, bytes] : tiers->value().members())
        point.numbers.emplace_back(std::string(kTierBytes) + "." + tier, number_at(tiers->at(tier)));
      continue;
    }
    auto dot = key.name.find('.');
    auto holder = at.find(key.name.substr(0, dot));
    if (!holder) continue;
    if (dot == key.name.npos) {
      point.numbers.emplace_back(key.name, number_at(*holder));
    } else if (holder->value().is_null()) {  // as build_up is where nothing has supports
      point.numbers.emplace_back(key.name, std::nullopt);
    } else if (auto member = holder->find(key.name.substr(dot + 1))) {
      point.numbers.emplace_back(key.name, number_at(*member));
    }
  }
}

// What a point of a baseline may hold, at its top and within.
void refuse_unknown(const JsonReader& at) {
  std::vector<std::string> top(kIdentityKeys.begin(), kIdentityKeys.end());
  std::map<std::string, std::vector<std::string>> within;
  for (const NumberKey& key : number_keys()) {
    auto dot = key.name.find('.');
    std::string head(key.name.substr(0, dot));
    if (std::find(top.begin(), top.end(), head) == top.end()) top.push_back(head);
    if (dot != key.name.npos) within[head].emplace_back(key.name.substr(dot + 1));
  }
  at.only(top);
  for (const auto& [head, members] : within)
    if (auto holder = at.find(head); holder && !holder->value().is_null()) holder->only(members);
}

}  // namespace

std::string_view to_string(NumberKind kind) {
  switch (kind) {
    case NumberKind::bytes: return "bytes";
    case NumberKind::ratio: return "ratio";
    case NumberKind::build_up: return "build-up";
    case NumberKind::error: return "error";
    case NumberKind::time: return "time";
  }
  return "";
}

Json sorted(const Json& value) {
  if (value.is_array()) {
    Json items = Json::Array{};
    for (const Json& item : value.items()) items.push_back(sorted(item));
    return items;
  }
  if (!value.is_object()) return value;
  Json::Object members;
  for (const auto& [key, member] : value.members()) members.emplace_back(key, sorted(member));
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return members;
}

std::span<const NumberKey> number_keys() { return kNumbers; }

const NumberKey* key_of_number(std::string_view name) {
  for (const NumberKey& key : kNumbers)
    if (name == key.name || (key.name == kTierBytes && name.starts_with("tier_bytes."))) return &key;
  return nullptr;
}

const std::optional<double>* PointNumbers::find(std::string_view key) const {
  for (const auto& [number, value] : numbers)
    if (number == key) return &value;
  return nullptr;
}

std::vector<PointNumbers> read_points(const JsonReader& list, bool strict) {
  std::vector<PointNumbers> points;
  std::map<std::string, int> seen;
  for (const JsonReader& at : list.items()) {
    if (strict) refuse_unknown(at);
    PointNumbers& point = points.emplace_back();
    at.at("coordinates").only_object();
    point.coordinates = at.at("coordinates").value();
    point.compressor = at.at("compressor").text();
    std::int64_t learners = at.at("learners").integer();
    if (learners < 1 || learners > UINT32_MAX)
      at.at("learners").refuse("must be 1 or more, got " + at.at("learners").shown());
    point.learners = static_cast<std::uint32_t>(learners);
    read_numbers(at, point);
    point.name = name_of(point);
    point.identity =
        sorted(point.coordinates).dump(-1) + " " + point.compressor + " " + std::to_string(point.learners);
    if (int count = ++seen[point.identity]; count > 1) {
      point.name += " (" + std::to_string(count) + ")";
      point.identity += " " + std::to_string(count);
    }
  }
  return points;
}

Json to_json(const PointNumbers& point) {
  Json json;
  json["coordinates"] = point.coordinates;
  json["compressor"] = point.compressor;
  json["learners"] = point.learners;
  for (const auto& [name, value] : point.numbers) {
    Json number = value ? Json(*value) : Json();
    auto dot = name.find('.');
    if (dot == name.npos)
      json[name] = number;
    else
      json[name.substr(0, dot)][name.substr(dot + 1)] = number;
  }
  return json;
}

bool looks_like_report(const Json& document) { return document.find("traincast") != nullptr; }

ReportNumbers read_report(const Json& document, const std::string& file) {
  JsonReader root(document, file);
  root.only_object();
  if (!looks_like_report(document)) root.refuse("is no report of traincast: key 'traincast' is missing");
  auto format = root.at("traincast").find("format");
  if (!format)
    root.at("traincast")
        .refuse("key 'format' is missing: a report of another version; run its scenario again");
  if (!format->value().is_integer() || format->integer() != kReportFormat)
    format->refuse("only reports of format " + std::to_string(kReportFormat) + " are read, got " +
                   format->shown() + ": a report of another version; run its scenario again");
  ReportNumbers report;
  report.file = file;
  report.traincast = root.at("traincast").value();
  root.at("scenario").only_object();
  report.scenario = root.at("scenario").value();
  report.points = read_points(root.at("points"), false);
  for (const JsonReader& check : root.at("checks").items())
    if (!check.at("passed").flag()) report.failed_checks.push_back(check.at("name").text());
  for (const JsonReader& warning : root.at("warnings").items()) report.warnings.push_back(warning.text());
  return report;
}

}  // namespace traincast
