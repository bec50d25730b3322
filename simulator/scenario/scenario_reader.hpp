// Reads one point of a scenario, without its sweep.
#pragma once

#include <string>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace traincast {

/// Every key checked, defaults filled in. Throws PlacedError for the first mistake.
Scenario read_scenario(const Json& document, const std::string& file);

/// Top-level keys that an axis may lead into.
std::vector<std::string> sweepable_keys();

}  // namespace traincast
