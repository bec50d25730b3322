#include "analysis/baseline.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/names.hpp"

namespace traincast {

namespace {

constexpr std::int64_t kFormat = 1;
const std::vector<std::string> kKeys{"format", "reason", "scenario", "tolerances", "points"};
const std::vector<std::string> kToleranceKeys{"absolute", "relative", "fails"};
const std::vector<std::string> kFails{"either", "above", "below"};

Tolerance read_tolerance(const JsonReader& at) {
  at.only(kToleranceKeys);
  Tolerance tolerance;
  auto amount = [&](const char* key, double& into) {
    auto given = at.find(key);
    if (!given) return;
    into = given->number();
    if (!(into >= 0) || !std::isfinite(into)) given->refuse("must be zero or more, got " + given->shown());
  };
  amount("absolute", tolerance.absolute);
  amount("relative", tolerance.relative);
  if (auto fails = at.find("fails")) {
    auto found = std::find(kFails.begin(), kFails.end(), fails->text());
    if (found == kFails.end())
      fails->refuse("unknown side '" + fails->text() + "'" + known_names(fails->text(), kFails));
    tolerance.fails = static_cast<Tolerance::Fails>(found - kFails.begin());
  }
  return tolerance;
}

std::vector<std::string> names_of_numbers() {
  std::vector<std::string> names;
  for (const NumberKey& key : number_keys()) names.emplace_back(key.name);
  return names;
}

}  // namespace

double Tolerance::allowed(double baseline) const {
  return std::max(absolute, relative * std::fabs(baseline));
}

const Tolerance* Baseline::tolerance(std::string_view number) const {
  const NumberKey* key = key_of_number(number);
  const Tolerance* of_key = nullptr;
  for (const auto& [name, tolerance] : tolerances) {
    if (name == number) return &tolerance;
    if (key && name == key->name) of_key = &tolerance;
  }
  return of_key;
}

Baseline read_baseline(const Json& document, const std::string& file) {
  JsonReader root(document, file);
  root.only_object();
  if (!document.find("tolerances") || !document.find("points"))
    root.refuse(std::string("is no baseline: key '") +
                (document.find("tolerances") ? "points" : "tolerances") +
                "' is missing; traincast check BASELINE SCENARIO --update REASON writes one");
  root.only(kKeys);
  if (!root.at("format").value().is_integer() || root.at("format").integer() != kFormat)
    root.at("format").refuse("only baselines of format " + std::to_string(kFormat) + " are read, got " +
                             root.at("format").shown());
  Baseline baseline;
  baseline.file = file;
  baseline.reason = root.at("reason").text();
  baseline.scenario = root.at("scenario").value();
  if (!baseline.scenario.is_null() && !baseline.scenario.is_string() && !baseline.scenario.is_object())
    root.at("scenario")
        .refuse("must be the path of a scenario, a scenario or null, got " + root.at("scenario").shown());
  JsonReader tolerances = root.at("tolerances");
  tolerances.only_object();
  for (const auto& [name, tolerance] : tolerances.value().members()) {
    if (!key_of_number(name))
      tolerances.at(name).refuse("unknown number" + known_names(name, names_of_numbers()));
    baseline.tolerances.emplace_back(name, read_tolerance(tolerances.at(name)));
  }
  baseline.points = read_points(root.at("points"), true);
  auto points = root.at("points").items();
  for (std::size_t i = 0; i < points.size(); ++i)
    for (const auto& [name, value] : baseline.points[i].numbers)
      if (!baseline.tolerance(name))
        points[i].refuse("'" + name + "' has no tolerance, so that nothing would compare it");
  return baseline;
}

Json to_json(const Baseline& baseline) {
  Json json;
  json["format"] = kFormat;
  json["reason"] = baseline.reason;
  json["scenario"] = baseline.scenario;
  json["tolerances"] = Json::Object{};
  for (const auto& [name, tolerance] : baseline.tolerances) {
    Json& one = json["tolerances"][name];
    one = Json::Object{};
    if (tolerance.absolute > 0 || tolerance.relative == 0) one["absolute"] = tolerance.absolute;
    if (tolerance.relative > 0) one["relative"] = tolerance.relative;
    if (tolerance.fails != Tolerance::Fails::either)
      one["fails"] = kFails[static_cast<std::size_t>(tolerance.fails)];
  }
  json["points"] = Json::Array{};
  for (const PointNumbers& point : baseline.points) json["points"].push_back(to_json(point));
  return json;
}

std::vector<std::pair<std::string, Tolerance>> usual_tolerances() {
  constexpr double kRounding = 1e-9;
  return {{"bytes_sent_per_learner", {}},
          {"bytes_sent_per_learner_max", {}},
          {"tier_bytes", {}},
          {"compression_ratio.payload", {0, kRounding}},
          {"compression_ratio.wire", {0, kRounding}},
          {"compression_ratio.traffic", {0, kRounding}},
          {"build_up.final", {0, kRounding}},
          {"contraction", {kRounding, 1e-6}},
          {"step_seconds", {0, 0.01, Tolerance::Fails::above}}};
}

Baseline renewed(Baseline baseline, const ReportNumbers& report, const std::string& reason) {
  baseline.reason = reason;
  baseline.points = report.points;
  for (const auto& [name, tolerance] : baseline.tolerances) {
    bool found = false;
    for (const PointNumbers& point : baseline.points)
      for (const auto& [number, value] : point.numbers)
        found = found || number == name || key_of_number(number)->name == name;
    if (!found)
      throw InputError(report.file + ": no point has '" + name + "', which the tolerances of " +
                       baseline.file + " name");
  }
  for (PointNumbers& point : baseline.points)
    std::erase_if(point.numbers,
                  [&](const auto& number) { return baseline.tolerance(number.first) == nullptr; });
  return baseline;
}

}  // namespace traincast
