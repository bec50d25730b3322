// A report with numbers that can be checked in the head, as a run would write it.
#pragma once

#include <string>
#include <utility>

#include "analysis/figures/figure_source.hpp"
#include "base/json.hpp"

namespace traincast {

inline Json hand_made_report(const std::string& name = "by hand") {
  Json report;
  report["traincast"]["version"] = "1.2.3";
  report["scenario"]["name"] = name;
  report["scenario"]["seed"] = 7;
  report["points"] = Json::Array{};
  report["checks"] = Json::Array{};
  report["warnings"] = Json::Array{};
  return report;
}

/// A method whose step takes 1 ms of computing and the communication named, against a dense step of 4 ms.
inline Json& add_point(Json& report, const std::string& label, std::uint32_t learners, double communication_s,
                       double gigabits = 1) {
  Json point;
  point["compressor"] = label.substr(0, label.find(' '));
  point["label"] = label;
  point["place"] = "star";
  point["bandwidth_bytes_per_second"] = gigabits * 125e6;
  point["learners"] = learners;
  point["loop"] = "open";
  point["compute_seconds"] = 1e-3;
  point["exposed_encode_seconds"] = 0.5e-3;
  point["exposed_communication_seconds"] = communication_s;
  point["exposed_decode_seconds"] = 0.25e-3;
  point["wait_seconds"] = 0;
  point["slowdown_seconds"] = 0;
  double step = 1.75e-3 + communication_s;
  point["step_seconds"] = step;
  point["speedup"] = 4e-3 / step;
  point["best_dense"] = "none bf16";
  point["scaling_speedup"] = learners * 1e-3 / step;
  point["scaling_efficiency"] = 1e-3 / step;
  point["bytes_sent_per_learner"] = 1000.0 * learners;
  point["tier_bytes"]["nic"] = 3000.0 * learners;
  point["build_up"] = Json();
  report["points"].push_back(std::move(point));
  return report["points"].items().back();
}

inline FigureSource source_of(Json report) {
  Json::Array reports;
  reports.push_back(std::move(report));
  return figure_source(std::move(reports), {"report.json"});
}

}  // namespace traincast
