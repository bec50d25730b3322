// Where things stand in a figure, in points of 1/72 inch from its lower left corner: axes, ticks, legend,
// foot. Made for one column of a two-column paper; what does not fit in width grows the figure downwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace traincast {

inline constexpr double kColumnWidth = 245;  ///< 3.4 inches, 86 mm
inline constexpr double kFontSize = 8, kTickFontSize = 7, kFootFontSize = 6;

struct Tick {
  double at = 0;
  std::string label;
};

struct AxisRange {
  double low = 0, high = 1;
  std::vector<Tick> ticks;
};

/// An entry of the legend, below the axes.
struct LegendEntry {
  std::string text;
  Look look = Look::line;
  std::optional<unsigned> style;
  double left = 0, middle = 0;  ///< of its sample
};
inline constexpr double kSampleWidth = 20;

struct Layout {
  double width = kColumnWidth, height = 0;
  double left = 0, right = 0, bottom = 0, top = 0;  ///< of the axes
  AxisRange x, y;
  bool upright = false;       ///< the names under the x axis
  double x_title = 0;         ///< its middle's height
  double x_title_middle = 0;  ///< and place
  std::vector<LegendEntry> legend;
  std::vector<std::string> foot;  ///< lines, the first at `foot_top`
  double foot_top = 0;
};

Layout lay_out(const Figure& figure);

/// Whether a value can be drawn on the axis.
bool has_place(const Axis& axis, double value);
/// Grey, under one entry of the legend for all of them.
bool is_other(const Series& series);
bool in_legend(const Series& series);
std::size_t count_others(const Figure& figure);

/// Of a Helvetica, near enough to place labels.
double text_width(std::string_view text, double font_size);
/// At most that wide, its middle left out where it is wider.
std::string shortened(const std::string& text, double width, double font_size);

/// `length` in points. Names that have no room go.
AxisRange range_of(const Axis& axis, const std::vector<double>& values, double length);

/// What of a box lies within the axes; none where nothing does.
std::optional<Box> visible(const Box& box, const Layout& layout);

/// Which points of a curve carry a marker: all, or of many some that stand evenly along the axis.
std::vector<bool> marked_points(const Series& series, const Axis& x, const AxisRange& range);

}  // namespace traincast
