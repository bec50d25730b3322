// One script a figure, data included. Text is always in single quotes, where gnuplot interprets nothing, and
// never in its enhanced mode. Legend, title and foot are placed by the layout, so that the three terminals
// agree.
#include <cmath>
#include <cstdio>

#include "analysis/figures/layout.hpp"
#include "analysis/figures/palette.hpp"
#include "analysis/figures/renderers.hpp"

namespace traincast {

namespace {

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string font(double size) { return " font '," + number(size) + "'"; }
std::string colour(const char* hex) { return " lc rgb '#" + std::string(hex) + "'"; }

std::string line_look(Look look, std::optional<unsigned> style) {
  switch (look) {
    case Look::guide: return " lw 1.2 dt (12,6)" + colour(kGuideColour);
    case Look::companion: return " lw 1.5 dt (3,5)" + colour(style ? kCurves[*style].colour : kGuideColour);
    default: break;
  }
  if (!style) return " lw 1 dt 1" + colour(kOtherColour);
  return " lw 2 dt " + std::string(kCurves[*style].gnuplot_dash) + colour(kCurves[*style].colour);
}

std::string point_look(std::optional<unsigned> style) {
  if (!style) return " pt 7 ps 0.3";
  return " pt " + std::to_string(kCurves[*style].gnuplot_marker) + " ps 0.5";
}

std::string fill_look(unsigned style) {
  return "fillcolor rgb '#" + std::string(kFills[style % kFillCount]) +
         "' fillstyle solid 1.0 border lc rgb '#000000'";
}

// Labels of ticks alone are formats, in which a per cent sign stands twice.
std::string format_of(std::string_view text) {
  std::string format;
  for (char c : text) format += c == '%' ? "%%" : std::string(1, c);
  return format;
}

class Script {
 public:
  explicit Script(const Figure& figure) : figure_(figure), layout_(lay_out(figure)) {}

  std::string text() {
    settings();
    axis('x', figure_.x, layout_.x);
    axis('y', figure_.y, layout_.y);
    words();
    legend();
    std::string plot = data();
    terminal("svg size " + number(std::round(layout_.width * kSvg)) + "," +
                 number(std::round(layout_.height * kSvg)) +
                 " noenhanced font 'Helvetica,8' fontscale 1.3333 linewidth 0.7 background '#FFFFFF'",
             "svg");
    add("plot " + plot);
    terminal("pdfcairo size " + number(layout_.width / kInch) + "in," + number(layout_.height / kInch) +
                 "in noenhanced font 'Helvetica,8' fontscale 1 linewidth 2 dashlength 1.5",
             "pdf");
    add("replot");
    terminal("pngcairo size " + number(std::round(layout_.width * kPng)) + "," +
                 number(std::round(layout_.height * kPng)) +
                 " noenhanced font 'Helvetica,8' fontscale 3.125 linewidth 2.2 pointscale 3.1 dashlength 1.5",
             "png");
    add("replot\nunset output");
    return script_;
  }

 private:
  static constexpr double kInch = 72, kSvg = 96 / kInch, kPng = 300 / kInch;

  void add(const std::string& line) { script_ += line + "\n"; }
  std::string across(double points) const { return "screen " + number(points / layout_.width); }
  std::string up(double points) const { return "screen " + number(points / layout_.height); }
  std::string at(double x, double y) const { return across(x) + "," + up(y); }

  void terminal(const std::string& what, const char* extension) {
    add("set terminal " + what);
    add("set output " + gnuplot_quoted(figure_.name + "." + extension));
  }

  void settings() {
    add("reset");
    add("set encoding utf8");
    add("set lmargin at " + across(layout_.left));
    add("set rmargin at " + across(layout_.right));
    add("set bmargin at " + up(layout_.bottom));
    add("set tmargin at " + up(layout_.top));
    add("set border 3 lw 0.8 lc rgb '#000000'");
    add("unset key");
    add("set style line 100 lc rgb '#DDDDDD' lw 0.6 dt 1");
  }

  void axis(char name, const Axis& axis, const AxisRange& range) {
    std::string n(1, name);
    if (axis.scale == Scale::log2) add("set logscale " + n + " 2");
    if (axis.scale == Scale::log10) add("set logscale " + n + " 10");
    bool reversed = name == 'y' && !axis.upwards;
    add("set " + n + "range [" + number(reversed ? range.high : range.low) + ":" +
        number(reversed ? range.low : range.high) + "]");
    std::string ticks;
    for (const Tick& tick : range.ticks)
      ticks += (ticks.empty() ? "" : ", ") + gnuplot_quoted(format_of(tick.label)) + " " + number(tick.at);
    bool upright = name == 'x' && layout_.upright;
    add("set " + n + "tics nomirror out scale 0.4" + (upright ? " rotate by 90 right" : "") + " noenhanced" +
        font(kTickFontSize) + " offset " + (name == 'x' ? (upright ? "0,0.2" : "0,0.3") : "0.4,0") +
        " textcolor rgb '#000000' (" + ticks + ")");
    if (axis.categories.empty()) add("set grid " + n + "tics back ls 100");
  }

  void words() {
    if (!figure_.title().empty())
      add("set label 1 " + gnuplot_quoted(shortened(figure_.title(), layout_.width - 6, kFontSize)) + " at " +
          at(layout_.width / 2, layout_.height - 8) + " center noenhanced" + font(kFontSize));
    if (!figure_.x.title().empty())
      add("set label 2 " + gnuplot_quoted(figure_.x.title()) + " at " +
          at(layout_.x_title_middle, layout_.x_title) + " center noenhanced" + font(kFontSize));
    if (!figure_.y.title().empty())
      add("set label 3 " + gnuplot_quoted(figure_.y.title()) + " at " +
          at(3 + kFontSize / 2, (layout_.bottom + layout_.top) / 2) + " center rotate by 90 noenhanced" +
          font(kFontSize));
    for (std::size_t i = 0; i < layout_.foot.size(); ++i)
      add("set label " + std::to_string(10 + i) + " " + gnuplot_quoted(layout_.foot[i]) + " at " +
          at(3, layout_.foot_top - 7.5 * (static_cast<double>(i) + 0.5)) + " left noenhanced" +
          font(kFootFontSize) + " textcolor rgb '#666666'");
  }

  void legend() {
    std::size_t number_of = 100;
    for (const LegendEntry& entry : layout_.legend) {
      std::string id = std::to_string(++number_of);
      double end = entry.left + kSampleWidth;
      if (entry.look == Look::fill)
        add("set object " + id + " rectangle from " + at(entry.left + 6, entry.middle - 3) + " to " +
            at(end, entry.middle + 3) + " " + fill_look(entry.style.value_or(0)) + " linewidth 0.4");
      else if (entry.look != Look::dots)
        add("set arrow " + id + " from " + at(entry.left, entry.middle) + " to " + at(end, entry.middle) +
            " nohead" + line_look(entry.look, entry.style));
      if (entry.look == Look::dots || (entry.look == Look::line && entry.style))
        add("set label 5" + id + " '' at " + at(entry.left + kSampleWidth / 2, entry.middle) + " point" +
            point_look(entry.style) + colour(entry.style ? kCurves[*entry.style].colour : kOtherColour));
      add("set label " + id + " " + gnuplot_quoted(entry.text) + " at " + at(end + 4, entry.middle) +
          " left noenhanced" + font(kTickFontSize));
    }
  }

  // Datablocks; gives the arguments of `plot`. What is grey or a guide is drawn first.
  std::string data() {
    std::string plots[2];
    std::size_t block = 0, text = 1000;
    for (const Series& series : figure_.series) {
      std::string name = "$d" + std::to_string(block++);
      add(name + " << EOD");
      std::vector<bool> marked = marked_points(series, figure_.x, layout_.x);
      for (std::size_t i = 0; i < series.points.size(); ++i) {
        const CurvePoint& point = series.points[i];
        double y = point.y && has_place(figure_.y, *point.y) ? *point.y : NAN;
        add(number(has_place(figure_.x, point.x) ? point.x : NAN) + " " + number(y) + " " +
            number(marked[i] ? y : NAN));
      }
      std::vector<Box> boxes;
      for (const Box& box : series.boxes)
        if (auto shown = visible(box, layout_)) boxes.push_back(*shown);
      for (const Box& box : boxes)
        add(number((box.left + box.right) / 2) + " " + number((box.bottom + box.top) / 2) + " " +
            number(box.left) + " " + number(box.right) + " " + number(box.bottom) + " " + number(box.top));
      if (series.points.empty() && boxes.empty()) add("NaN NaN NaN NaN NaN NaN");
      add("EOD");
      std::string& plot = plots[series.look == Look::fill || series.style ? 1 : 0];
      plot += (plot.empty() ? "" : ", ") + drawn(name, series);
      for (const Box& box : boxes)
        if (!box.text.empty())
          add("set label " + std::to_string(++text) + " " + gnuplot_quoted(box.text) + " at " +
              number((box.left + box.right) / 2) + "," + number((box.bottom + box.top) / 2) +
              " center front noenhanced" + font(kFootFontSize) +
              (is_dark(series.style.value_or(0) % kFillCount) ? " textcolor rgb '#FFFFFF'" : ""));
    }
    return plots[0] + (plots[0].empty() || plots[1].empty() ? "" : ", ") + plots[1];
  }

  std::string drawn(const std::string& data, const Series& series) const {
    if (series.look == Look::fill)
      return data + " using 1:2:3:4:5:6 with boxxyerror " + fill_look(series.style.value_or(0)) +
             " linewidth 0.4 notitle";
    std::string points = " with points" + point_look(series.style) +
                         colour(series.style ? kCurves[*series.style].colour : kOtherColour) + " notitle";
    if (series.look == Look::dots) return data + " using 1:2" + points;
    std::string line = data + " using 1:2 with lines" + line_look(series.look, series.style) + " notitle";
    return series.look == Look::line && series.style ? line + ", " + data + " using 1:3" + points : line;
  }

  const Figure& figure_;
  Layout layout_;
  std::string script_;
};

}  // namespace

std::string gnuplot_quoted(std::string_view text) {
  std::string all = "'";
  for (char c : text) {
    if (c == '\'') all += '\'';
    all += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return all + "'";
}

std::string to_gnuplot(const Figure& figure) { return Script(figure).text(); }

}  // namespace traincast
