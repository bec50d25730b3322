// How two values of a number are written side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace traincast {

/// With as many digits as tell those apart that differ, four at least; "-" for what is not defined.
std::vector<std::string> told_apart(const std::vector<std::optional<double>>& values);
/// "+32", "-0.25"; "-" where one of them is not defined.
std::string difference(const std::optional<double>& from, const std::optional<double>& to);
/// "+0.6 %", "x12" from a doubling on; "-" where it has no meaning.
std::string relative_difference(const std::optional<double>& from, const std::optional<double>& to);

}  // namespace traincast
