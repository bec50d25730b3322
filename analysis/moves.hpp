// How two values of a number are written side by side.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace traincast {

/// Both with as many digits as tell them apart, four at least; "-" for what is not defined.
std::pair<std::string, std::string> told_apart(const std::optional<double>& a,
                                               const std::optional<double>& b);
/// "+32", "-0.25"; "-" where one of them is not defined.
std::string difference(const std::optional<double>& from, const std::optional<double>& to);
/// "+0.6 %", "x12" from a doubling on; "-" where it has no meaning.
std::string relative_difference(const std::optional<double>& from, const std::optional<double>& to);

}  // namespace traincast
