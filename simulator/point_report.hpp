// From exchanges and timelines to the numbers of a point, as the README defines them.
#pragma once

#include <string>
#include <vector>

#include "analysis/report.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/step/step_program.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

/// The method and what tells it from its neighbours: "topk density=0.01", "none bf16".
std::string label_of(const Point& point);
/// Everything else that the axes set: "star, 10 Gb/s, overlap false".
std::string place_of(const Point& point, bool with_bandwidth);

/// Who, where and on what.
PointReport describe_point(const Point& point, const Manifest& manifest);
/// Ratios, build-up and errors.
void describe_exchange(PointReport& report, const ExchangeRecord& record);
/// Times and traffic.
void describe_timelines(PointReport& report, const std::vector<Timeline>& timelines);

/// Bytes on all links, summed over the steps.
double total_tier_bytes(const std::vector<Timeline>& timelines);

/// Source, model and data of the gradients, for the report's provenance.
Json describe_gradients(const Scenario& scenario, const Manifest& manifest);
/// Where the times come from, for the report's provenance: `from_file` where --timings gave them.
Json describe_times(const Scenario& scenario, const Manifest& manifest, bool from_file);

}  // namespace traincast
