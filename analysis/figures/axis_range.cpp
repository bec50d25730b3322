// From values to the ends of an axis and its ticks.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/figures/layout.hpp"

namespace traincast {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::vector<Tick> linear_ticks(double low, double high, double most) {
  double step = std::pow(10, std::floor(std::log10((high - low) / most)));
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if ((high - low) / (step * factor) <= most) {
      step *= factor;
      break;
    }
  std::vector<Tick> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); ++i)
    ticks.push_back({i * step, number(i == 0 ? 0 : i * step)});
  return ticks;
}

// Powers of the base; as many as there is room for.
std::vector<Tick> power_ticks(double low, double high, double base, double most) {
  double first = std::ceil(std::log(low) / std::log(base) - 1e-9);
  double last = std::floor(std::log(high) / std::log(base) + 1e-9);
  double stride = std::max(1.0, std::ceil((last - first + 1) / most));
  std::vector<Tick> ticks;
  for (double power = first; power <= last; power += stride)
    ticks.push_back({std::pow(base, power), number(std::pow(base, power))});
  return ticks;
}

// Over few decades 2 and 5 as well.
std::vector<Tick> decimal_ticks(double low, double high, double most) {
  std::vector<Tick> ticks = power_ticks(low, high, 10, most);
  if (std::log10(high / low) > most / 3) return ticks;
  ticks.clear();
  for (double decade = std::floor(std::log10(low)); decade <= std::log10(high); ++decade)
    for (double digit : {1.0, 2.0, 5.0})
      if (double at = digit * std::pow(10, decade); at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9))
        ticks.push_back({at, number(at)});
  if (ticks.size() < 2) return linear_ticks(low, high, most);
  return ticks;
}

bool logarithmic(const Axis& axis) { return axis.scale != Scale::linear; }

// Of ticks that stand too close, the later ones go.
std::vector<Tick> thinned(std::vector<Tick> ticks, const Axis& axis, double low, double high, double most) {
  auto place = [&](double at) {
    return logarithmic(axis) ? std::log(at / low) / std::log(high / low) : (at - low) / (high - low);
  };
  std::vector<Tick> kept;
  for (Tick& tick : ticks)
    if (kept.empty() || place(tick.at) - place(kept.back().at) >= 0.999 / most)
      kept.push_back(std::move(tick));
  return kept;
}

AxisRange categories(const Axis& axis, double length) {
  AxisRange range{-0.5, static_cast<double>(axis.categories.size()) - 0.5, {}};
  std::size_t room = static_cast<std::size_t>(std::max(1.0, length / (kTickFontSize + 1)));
  std::size_t stride = (axis.categories.size() + room - 1) / room;
  for (std::size_t i = 0; i < axis.categories.size(); i += std::max<std::size_t>(1, stride))
    if (!axis.categories[i].empty()) range.ticks.push_back({static_cast<double>(i), axis.categories[i]});
  return range;
}

}  // namespace

bool has_place(const Axis& axis, double value) {
  return std::isfinite(value) && (value > 0 || !logarithmic(axis));
}

AxisRange range_of(const Axis& axis, const std::vector<double>& values, double length) {
  if (!axis.categories.empty()) return categories(axis, length);
  constexpr double kTickRoom = 22;  // points from tick to tick
  double most = std::clamp(length / kTickRoom, 3.0, 9.0);
  double low = INFINITY, high = -INFINITY;
  for (double value : values)
    if (has_place(axis, value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!(low <= high)) low = high = 1;
  low = axis.low.value_or(low);
  high = axis.high.value_or(high);
  AxisRange range;
  if (logarithmic(axis)) {
    double span = std::max(std::log(high / low), std::log(2.0));
    if (high / low < 2) {
      double middle = std::sqrt(high * low);
      low = middle / std::sqrt(2.0);
      high = middle * std::sqrt(2.0);
    }
    constexpr double kMargin = 0.04;
    range.low = low * std::exp(-kMargin * span);
    range.high = high * std::exp(kMargin * span);
    range.ticks = axis.scale == Scale::log2 ? power_ticks(range.low, range.high, 2, most)
                                            : decimal_ticks(range.low, range.high, most);
  } else {
    if (low > 0) low = axis.low.value_or(0);
    if (high <= low) high = low + 1;
    range.low = low;
    range.high = axis.high.value_or(high + 0.05 * (high - low));
    range.ticks = linear_ticks(range.low, range.high, most);
  }
  if (!axis.ticks.empty()) {
    range.ticks.clear();
    for (double at : axis.ticks) range.ticks.push_back({at, number(at)});
    range.ticks = thinned(std::move(range.ticks), axis, range.low, range.high, most);
  }
  return range;
}

}  // namespace traincast
