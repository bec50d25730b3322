// A run on a small recorded trace.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "simulator/run.hpp"
#include "tests/support/small_trace.hpp"

namespace traincast {

/// Scenario on a trace, with given times unless `members` says otherwise; members are added or replaced.
inline Plan plan_on_trace(const std::string& trace, const std::string& members) {
  Json document = Json::parse(R"({
    "name": "test", "learners": 8, "steps": 3,
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "optimizer": "100us",
                "encode": {"topk": "300us", "scalecom": "200us", "powersgd": "400us"},
                "decode": {"topk": "100us", "scalecom": "50us", "powersgd": "100us"}},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})",
                              "test");
  document["gradients"]["name"] = "trace";
  document["gradients"]["path"] = trace;
  Json extra = Json::parse("{" + members + "}", "members");
  for (const auto& [key, value] : extra.members()) document[key] = value;
  return make_plan(std::move(document), "test.json", {});
}

inline RunResult quiet_run(const Plan& plan, unsigned threads = 1) {
  RunOptions options;
  options.quiet = true;
  options.threads = threads;
  return run(plan, options);
}

inline const std::string kFiveMethods = R"("/compressor": [
    {"name": "none", "precision": "fp32"}, {"name": "none", "precision": "bf16"},
    {"name": "topk", "density": 0.02}, {"name": "scalecom", "rate": 50}, {"name": "powersgd", "rank": 2}])";

}  // namespace traincast
