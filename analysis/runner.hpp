// How analysis has a scenario carried out, without knowing by what.
#pragma once

#include <functional>
#include <string>

#include "base/json.hpp"

namespace traincast {

/// Carries out a scenario and gives its report. Paths in the scenario are relative to the folder of `file`,
/// which messages name.
using Runner = std::function<Json(const Json& scenario, const std::string& file)>;

/// Why a scenario cannot be carried out ("" where it can), without carrying it out.
using Refusal = std::function<std::string(const Json& scenario, const std::string& file)>;

}  // namespace traincast
