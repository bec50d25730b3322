#include "analysis/moves.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace traincast {

namespace {

// Up to a million million the whole part stands in full.
std::string digits(double value, int count) {
  constexpr double kInFull = 1e12;
  double size = std::fabs(value);
  if (size >= 1 && size < kInFull) count = std::max(count, 1 + static_cast<int>(std::log10(size)));
  if (size < kInFull && value == std::floor(value)) count = std::max(count, 12);
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", count, value);
  return text;
}

}  // namespace

std::vector<std::string> told_apart(const std::vector<std::optional<double>>& values) {
  constexpr int kFewest = 4, kAll = 17;
  std::vector<std::string> texts(values.size());
  for (int count = kFewest; count <= kAll; ++count) {
    for (std::size_t i = 0; i < values.size(); ++i) texts[i] = values[i] ? digits(*values[i], count) : "-";
    bool apart = true;
    for (std::size_t i = 0; i < values.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) apart = apart && (values[i] == values[j] || texts[i] != texts[j]);
    if (apart) break;
  }
  return texts;
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
    std::snprintf(text, sizeof text, "%+.3g %%", (ratio - 1) * 100);
  return text;
}

}  // namespace traincast
