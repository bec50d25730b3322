// A figure as data: axes, curves and boxes. What draws it knows nothing of where its numbers come from, and
// what makes it knows nothing of gnuplot or TeX.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace traincast {

enum class Scale { linear, log2, log10 };

struct Axis {
  std::string quantity;  ///< "Step time"
  std::string unit;      ///< "ms"; "×" for ratios; empty for categories
  Scale scale = Scale::linear;
  std::vector<std::string> categories{};  ///< names of the places 0, 1, 2 …; the axis is a list then
  std::vector<double> ticks{};            ///< empty: round numbers
  std::optional<double> low{}, high{};    ///< empty: from the data
  bool upwards = true;                    ///< of categories on y: false puts the first on top

  /// "Step time (ms)"
  std::string title() const { return unit.empty() ? quantity : quantity + " (" + unit + ")"; }
};

/// Nothing in y leaves a hole in the curve.
struct CurvePoint {
  double x = 0;
  std::optional<double> y{};
  bool operator==(const CurvePoint&) const = default;
};

/// A filled rectangle. On an axis of categories, place c reaches from c − ½ to c + ½.
struct Box {
  double left = 0, right = 0, bottom = 0, top = 0;
  std::string text{};  ///< written into it
  bool operator==(const Box&) const = default;
};

enum class Look : std::uint8_t {
  line,       ///< points, joined
  dots,       ///< points alone
  guide,      ///< thin and dashed, without points: a bound or an ideal
  companion,  ///< thin and dotted in the colour of the same style: a prediction for that curve. Those with a
              ///< style are not in the legend; one without speaks for all
  fill,       ///< boxes
};

struct Series {
  std::string name;  ///< empty: not in the legend
  Look look = Look::line;
  /// Place in the palette of lines or fills; none: one of the others, thin and grey under one entry of the
  /// legend.
  std::optional<unsigned> style{};
  std::vector<CurvePoint> points{};
  std::vector<Box> boxes{};
  bool operator==(const Series&) const = default;
};

/// Curves that a legend can tell apart; the others are drawn grey.
inline constexpr std::size_t kMostCurves = 7;

struct Figure {
  std::string name;   ///< of its files, without extension
  std::string where;  ///< place and bandwidth; with `size`, above the axes
  std::string size;   ///< "64 learners"
  std::string caption;
  std::string source;  ///< scenario, seed, loop, version
  Axis x, y;
  std::vector<Series> series;
  double row = 11;                 ///< height of a category on y, in points
  std::vector<std::string> notes;  ///< what is not drawn, and where it is

  std::string title() const { return where + (where.empty() || size.empty() ? "" : ", ") + size; }
};

}  // namespace traincast
