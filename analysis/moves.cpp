#include "analysis/moves.hpp"

#include <cmath>
#include <cstdio>

namespace traincast {

namespace {

std::string digits(double value, int count) {
  char text[64];
  // Bytes are whole up to here, and read better without an exponent.
  constexpr double kWhole = 1e12;
  if (value == std::floor(value) && std::fabs(value) < kWhole)
    std::snprintf(text, sizeof text, "%.0f", value);
  else
    std::snprintf(text, sizeof text, "%.*g", count, value);
  return text;
}

}  // namespace

std::pair<std::string, std::string> told_apart(const std::optional<double>& a,
                                               const std::optional<double>& b) {
  constexpr int kFewest = 4, kAll = 17;
  for (int count = kFewest;; ++count) {
    std::string left = a ? digits(*a, count) : "-", right = b ? digits(*b, count) : "-";
    if (a == b || left != right || count == kAll) return {left, right};
  }
}

std::string difference(const std::optional<double>& from, const std::optional<double>& to) {
  if (!from || !to) return "-";
  double change = *to - *from;
  char text[64];
  std::snprintf(text, sizeof text,
                change == std::floor(change) && std::fabs(change) < 1e12 ? "%+.0f" : "%+.3g", change);
  return text;
}

std::string relative_difference(const std::optional<double>& from, const std::optional<double>& to) {
  if (!from || !to || *from == 0) return "-";
  double ratio = *to / *from;
  char text[64];
  if (ratio >= 2)
    std::snprintf(text, sizeof text, "x%.3g", ratio);
  else
    std::snprintf(text, sizeof text, "%+.2g %%", (ratio - 1) * 100);
  return text;
}

}  // namespace traincast
