// The whole pipeline of `traincast run`, readable from top to bottom.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "analysis/report.hpp"
#include "simulator/pass/shape_exchange.hpp"
#include "simulator/scenario/scenario.hpp"

namespace traincast {

/// Where checkpoints of training lie in the output folder until the report is there.
inline constexpr const char* kTrainingFolder = ".training";

struct RunOptions {
  std::filesystem::path out;  ///< empty: nothing is written
  std::optional<std::string> timings_file;
  std::filesystem::path record;         ///< folder for each method's exchange; empty: none is kept
  bool break_evens = true;              ///< whether to search them
  bool comparisons = true;              ///< whether to run what speed-ups and traffic ratios compare with
  std::shared_ptr<ShapePhases> shapes;  ///< what earlier runs worked out; empty: nothing
  unsigned threads = 1;
  bool quiet = false;
};

struct RunResult {
  Report report;
  Json timeline;     ///< one step of some points, interval by interval; null where nothing is written
  Json timings;      ///< what was measured; null where nothing was
  Json environment;  ///< host, time, threads, memory: all that may differ between equal runs
};

RunResult run(const Plan& plan, const RunOptions& options);

}  // namespace traincast
