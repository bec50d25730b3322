// report.json and points.csv.
#include <algorithm>
#include <cmath>

#include "analysis/report.hpp"
#include "analysis/report_numbers.hpp"

namespace traincast {

namespace {

Json maybe(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return {};
  return *value;
}

void put(Json& json, const std::string& key, const Spread& spread) {
  json[key] = spread.mean;
  json[key + "_std"] = spread.deviation;
}

void put(Json& json, const std::string& key, const std::optional<Spread>& spread) {
  if (spread) return put(json, key, *spread);
  json[key] = Json();
  json[key + "_std"] = Json();
}

Json to_json(const PointReport& p) {
  Json json;
  json["coordinates"] = p.coordinates;
  json["compressor"] = p.compressor;
  json["label"] = p.label;
  json["place"] = p.setting;
  if (!p.precision.empty()) json["precision"] = p.precision;
  json["learners"] = p.learners;
  json["parameters"] = p.parameters;
  json["steps"] = p.steps;
  json["first_step"] = p.first_step;
  json["loop"] = p.loop;
  json["overlap"] = p.overlap;
  json["bandwidth_bytes_per_second"] = p.bandwidth > 0 ? Json(p.bandwidth) : Json();
  json["collectives"] = Json::Array{};
  json["engine"] = Json::Array{};
  for (const auto& [word, algorithm] : p.collectives) {
    Json one;
    one["word"] = word;
    one["algorithm"] = algorithm;
    json["collectives"].push_back(one);
    for (const std::string& name : p.engines) {
      Json engine;
      engine["collective"] = word + "/" + algorithm;
      engine["engine"] = name;
      json["engine"].push_back(engine);
    }
  }
  put(json, "step_seconds", p.step_seconds);
  put(json, "compute_seconds", p.compute_seconds);
  put(json, "encode_seconds", p.encode_seconds);
  put(json, "decode_seconds", p.decode_seconds);
  put(json, "communication_seconds", p.communication_seconds);
  put(json, "exposed_encode_seconds", p.exposed_encode_seconds);
  put(json, "exposed_communication_seconds", p.exposed_communication_seconds);
  put(json, "exposed_decode_seconds", p.exposed_decode_seconds);
  put(json, "wait_seconds", p.wait_seconds);
  put(json, "mean_wait_seconds", p.mean_wait_seconds);
  put(json, "slowdown_seconds", p.slowdown_seconds);
  json["speedup"] = maybe(p.speedup);
  json["best_dense"] = p.best_dense;
  json["speedup_over_fp32"] = maybe(p.speedup_over_fp32);
  json["scaling_speedup"] = maybe(p.scaling_speedup);
  json["scaling_efficiency"] = maybe(p.scaling_efficiency);
  put(json, "bytes_sent_per_learner", p.bytes_sent_per_learner);
  json["bytes_sent_per_learner_max"] = p.bytes_sent_per_learner_max;
  json["tier_bytes"] = Json::Object{};
  for (const auto& [tier, bytes] : p.tier_bytes) json["tier_bytes"][tier] = bytes;
  json["effective_bandwidth"] = Json::Object{};
  for (const TierUse& use : p.tier_use) {
    json["effective_bandwidth"][use.tier]["bytes_per_second"] = use.bytes_per_second;
    json["effective_bandwidth"][use.tier]["share"] = use.share;
  }
  json["communication_over_bound"] = Json();
  if (p.busiest_link_seconds > 0)
    json["communication_over_bound"] = p.communication_seconds.mean / p.busiest_link_seconds;
  json["compression_ratio"]["payload"] = maybe(p.payload_ratio);
  json["compression_ratio"]["wire"] = maybe(p.wire_ratio);
  json["compression_ratio"]["traffic"] = maybe(p.traffic_ratio);
  json["layers"] = Json();
  for (const LayerBytes& layer : p.layers) {
    Json one;
    one["name"] = layer.name;
    one["parameters"] = layer.parameters;
    one["bytes"] = maybe(layer.bytes);
    one["ratio"] = layer.bytes && *layer.bytes > 0
                       ? Json(4.0 * static_cast<double>(layer.parameters) / *layer.bytes)
                       : Json();
    json["layers"].push_back(std::move(one));
  }
  if (p.warm_up_steps > 0) {
    json["warm_up"]["steps"] = p.warm_up_steps;
    json["warm_up"]["wire"] = maybe(p.warm_up_wire_ratio);
  }
  json["build_up"] = Json();
  if (p.build_up) {
    put(json["build_up"], "final", p.build_up->final_union);
    json["build_up"]["independent"] = p.build_up->independent;
    json["build_up"]["by_hop"] = Json::list(p.build_up->by_hop);
  }
  put(json, "relative_error", p.relative_error);
  put(json, "contraction", p.contraction);
  json["memory_over_gradient"]["first"] = maybe(p.memory_first);
  json["memory_over_gradient"]["last"] = maybe(p.memory_last);
  json["memory_over_gradient"]["grows"] = p.memory_grows;
  json["memory_over_gradient"]["of"] = p.memory_of_mean ? "mean" : "each";
  if (p.training) json["training"] = to_json(*p.training);
  return json;
}

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (char c : text) all += c == '"' ? std::string("\"\"") : std::string(1, c);
  return all + "\"";
}

}  // namespace

Json to_json(const Report& report) {
  Json json;
  json["traincast"]["format"] = kReportFormat;
  if (report.traincast.is_object())
    for (const auto& [key, value] : report.traincast.members()) json["traincast"][key] = value;
  json["scenario"] = report.scenario;
  json["points"] = Json::Array{};
  for (const PointReport& point : report.points) json["points"].push_back(to_json(point));
  json["break_even"] = Json::Array{};
  for (const BreakEven& b : report.break_evens) {
    Json one;
    one["coordinates"] = b.coordinates;
    one["place"] = b.place;
    one["label"] = b.label;
    one["learners"] = b.learners;
    one["searched_bytes_per_second"].push_back(b.low);
    one["searched_bytes_per_second"].push_back(b.high);
    one["wins_bytes_per_second"] = Json::Array{};
    for (auto [from, to] : b.wins) {
      Json range;
      range.push_back(from);
      range.push_back(to);
      one["wins_bytes_per_second"].push_back(range);
    }
    json["break_even"].push_back(one);
  }
  json["verdict"] = Json::list(report.verdict);
  json["checks"] = Json::Array{};
  for (const Check& check : report.checks) {
    Json one;
    one["name"] = check.name;
    one["passed"] = check.passed;
    one["value"] = check.value;
    one["bound"] = check.bound;
    json["checks"].push_back(one);
  }
  json["warnings"] = Json::list(report.warnings);
  return json;
}

std::string to_csv(const std::vector<PointReport>& points) {
  // The same numbers as report.json, one row a point; nested values get dotted names, lists stay in
  // report.json.
  std::vector<std::string> columns;
  std::vector<std::vector<std::pair<std::string, std::string>>> rows;
  for (const PointReport& point : points) {
    auto& row = rows.emplace_back();
    auto flatten = [&](auto& self, const std::string& name, const Json& value) -> void {
      if (value.is_array()) return;
      if (value.is_object() && name != "coordinates") {
        for (const auto& [key, member] : value.members())
          self(self, name.empty() ? key : name + "." + key, member);
        return;
      }
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
      row.emplace_back(name, value.is_null()     ? ""
                             : value.is_string() ? quoted(value.text())
                             : value.is_object() ? quoted(value.dump(-1))
                                                 : value.dump(-1));
    };
    flatten(flatten, "", to_json(point));
  }
  std::string csv;
  for (std::size_t c = 0; c < columns.size(); ++c) csv += (c ? "," : "") + columns[c];
  csv += '\n';
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c) csv += ',';
      for (const auto& [name, value] : row)
        if (name == columns[c]) csv += value;
    }
    csv += '\n';
  }
  return csv;
}

}  // namespace traincast
