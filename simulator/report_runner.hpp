// Scenarios carried out for those who know only their reports.
#pragma once

#include <string>

#include "analysis/runner.hpp"
#include "simulator/run.hpp"

namespace traincast {

/// Without break-evens, which are no number of a point. What a method does with a tensor whose values it does
/// not need is worked out once for all runs of the same runner.
Runner report_runner(RunOptions options);

/// Why a scenario cannot be read; "" where it can.
std::string refusal_of_scenario(const Json& scenario, const std::string& file);

}  // namespace traincast
