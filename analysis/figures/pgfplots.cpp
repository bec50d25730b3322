// A figure environment with one pgfplots axis: the same ticks, colours, markers and dashes as the other
// forms.
#include <cmath>
#include <cstdio>
#include <utility>

#include "analysis/figures/layout.hpp"
#include "analysis/figures/palette.hpp"
#include "analysis/figures/renderers.hpp"

namespace traincast {

namespace {

std::string number(double value) {
  if (!std::isfinite(value)) return "nan";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string colour(const char* hex) { return std::string("traincast") + hex; }

std::string curve_options(Look look, std::optional<unsigned> style_index, const std::string& marked) {
  switch (look) {
    case Look::guide: return colour(kGuideColour) + ",thin,dashed,mark=none";
    case Look::companion:
      return colour(style_index ? kCurves[*style_index].colour : kGuideColour) +
             ",thin,densely dotted,mark=none";
    default: break;
  }
  if (!style_index)
    return colour(kOtherColour) +
           (look == Look::dots ? ",only marks,mark=*,mark size=0.8pt" : ",thin,mark=none");
  const CurveStyle& style = kCurves[*style_index];
  std::string options = colour(style.colour) + ",mark size=1.5pt,mark=" + style.tex_marker;
  if (look == Look::dots) return options + ",only marks";
  // Markers are drawn with solid lines whatever the curve's dash.
  std::string marks =
      std::string(style.tex_marker).find("mark options") == std::string::npos ? ",mark options={solid}" : "";
  if (!marked.empty()) options += ",mark indices={" + marked + "}";
  return options + marks + ",thick," + style.tex_dash;
}

std::string fill_options(unsigned style) {
  return "fill=" + colour(kFills[style % kFillCount]) + ",draw=black,line width=0.2pt";
}

class Axes {
 public:
  explicit Axes(const Figure& figure) : figure_(figure), layout_(lay_out(figure)) {}

  std::string text() {
    add("% " + commented(figure_.source));
    add("% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.16} or later; a column of " +
        number(kColumnWidth) + "pt.");
    add("\\begin{figure}[tb]");
    add("\\centering");
    add("\\begin{tikzpicture}");
    colours();
    options();
    for (const Series& series : figure_.series)
      if (!series.style && series.look != Look::fill) draw(series);
    for (const Series& series : figure_.series)
      if (series.style || series.look == Look::fill) draw(series);
    legend();
    add("\\end{axis}");
    add("\\end{tikzpicture}");
    add("\\caption{" + caption() + "}");
    add("\\label{fig:" + label() + "}");
    add("\\end{figure}");
    return text_;
  }

 private:
  void add(const std::string& line) { text_ += line + "\n"; }

  static std::string commented(std::string text) {
    for (char& c : text)
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text;
  }

  std::string label() const {
    std::string name;
    for (char c : figure_.name) name += c == '-' || c == '.' || (c >= '0' && c <= 'z') ? c : '-';
    return name;
  }

  std::string caption() const {
    std::string all;
    if (!figure_.title().empty()) all += tex_escaped(figure_.title()) + ". ";
    all += tex_escaped(figure_.caption);
    for (const std::string& note : figure_.notes) all += " " + tex_escaped(note) + ".";
    return all + " (" + tex_escaped(figure_.source) + ")";
  }

  void colours() {
    auto define = [this](const char* hex) { add("\\definecolor{" + colour(hex) + "}{HTML}{" + hex + "}"); };
    for (const CurveStyle& style : kCurves) define(style.colour);
    for (const char* hex : {kOtherColour, kGuideColour}) define(hex);
    for (const char* hex : kFills) define(hex);
  }

  void ticks(const std::string& name, const AxisRange& range) {
    std::string at, labels;
    for (const Tick& tick : range.ticks) {
      at += (at.empty() ? "" : ",") + number(tick.at);
      labels += (labels.empty() ? "" : ",") + ("{" + tex_escaped(tick.label)) + "}";
    }
    add("  " + name + "tick={" + at + "}, " + name + "ticklabels={" + labels + "},");
  }

  void axis(const std::string& name, const Axis& axis, const AxisRange& range) {
    if (axis.scale != Scale::linear) add("  " + name + "mode=log, log basis " + name + "=10,");
    add("  " + name + "min=" + number(range.low) + ", " + name + "max=" + number(range.high) + ",");
    ticks(name, range);
    if (!axis.title().empty()) add("  " + name + "label={" + tex_escaped(axis.title()) + "},");
    if (axis.categories.empty()) add("  " + name + "majorgrids,");
  }

  void options() {
    add("\\begin{axis}[");
    add("  scale only axis, width=" + number(layout_.right - layout_.left - wider_names()) +
        "pt, height=" + number(layout_.top - layout_.bottom) + "pt,");
    add("  font=\\footnotesize, tick label style={font=\\scriptsize}, axis lines=left, axis line style={-},");
    add("  tick align=outside, minor tick num=0, grid style={gray!25, very thin},");
    axis("x", figure_.x, layout_.x);
    axis("y", figure_.y, layout_.y);
    if (layout_.upright) add("  x tick label style={rotate=90, anchor=east, font=\\scriptsize},");
    if (!figure_.y.upwards) add("  y dir=reverse,");
    add("  unbounded coords=jump, clip mode=individual,");
    // Under the middle of the column, not of the axis.
    double middle = (layout_.width / 2 - layout_.left) / (layout_.right - layout_.left);
    constexpr double kTexLabels = 7;  // that TeX's labels stand lower than the layout's
    add("  legend style={at={(" + number(middle) + ",0)}, anchor=north, yshift=-" +
        number(layout_.bottom - legend_top() + kTexLabels) +
        "pt, draw=none, fill=none, font=\\scriptsize, legend columns=" + std::to_string(columns()) +
        ", /tikz/every even column/.append style={column sep=4pt}},");
    add("  legend cell align=left,");
    add("]");
  }

  // TeX's own fonts are wider than the Helvetica that the layout counts with.
  double wider_names() const { return figure_.y.categories.empty() ? 0 : 12; }

  double legend_top() const { return layout_.legend.empty() ? 0 : layout_.legend.front().middle + 5; }

  std::size_t columns() const {
    std::size_t columns = 0;
    double last = -1;
    for (const LegendEntry& entry : layout_.legend)
      if (entry.left > last) {
        last = entry.left;
        ++columns;
      }
    return std::max<std::size_t>(1, columns);
  }

  // Counted from 1; empty: all.
  std::string marker_places(const Series& series) const {
    std::vector<bool> marked = marked_points(series, figure_.x, layout_.x);
    std::string places;
    bool all = true;
    for (std::size_t i = 0; i < marked.size(); ++i) {
      all = all && marked[i];
      if (marked[i]) places += (places.empty() ? "" : ",") + std::to_string(i + 1);
    }
    return all ? "" : places;
  }

  void draw(const Series& series) {
    if (series.look == Look::fill) return fill(series);
    if (series.points.empty()) return;
    add("\\addplot[" + curve_options(series.look, series.style, marker_places(series)) +
        ",forget plot] coordinates {");
    for (const CurvePoint& point : series.points)
      add("  (" + number(has_place(figure_.x, point.x) ? point.x : NAN) + "," +
          number(point.y && has_place(figure_.y, *point.y) ? *point.y : NAN) + ")");
    add("};");
  }

  void fill(const Series& series) {
    unsigned style = series.style.value_or(0);
    for (const Box& whole : series.boxes) {
      auto shown = visible(whole, layout_);
      if (!shown) continue;
      const Box& box = *shown;
      add("\\path[" + fill_options(style) + "] (axis cs:" + number(box.left) + "," + number(box.bottom) +
          ") rectangle (axis cs:" + number(box.right) + "," + number(box.top) + ");");
      if (!box.text.empty())
        add("\\node[font=\\tiny,text=" + std::string(is_dark(style % kFillCount) ? "white" : "black") +
            "] at (axis cs:" + number((box.left + box.right) / 2) + "," + number((box.bottom + box.top) / 2) +
            ") {" + tex_escaped(box.text) + "};");
    }
  }

  void legend() {
    for (const LegendEntry& entry : layout_.legend) {
      add("\\addlegendimage{" +
          (entry.look == Look::fill ? "area legend," + fill_options(entry.style.value_or(0))
                                    : curve_options(entry.look, entry.style, "")) +
          "}");
      add("\\addlegendentry{" + tex_escaped(entry.text) + "}");
    }
  }

  const Figure& figure_;
  Layout layout_;
  std::string text_;
};

}  // namespace

std::string tex_escaped(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kWritten[] = {{"\\", "\\textbackslash{}"},
                                                                        {"{", "\\{"},
                                                                        {"}", "\\}"},
                                                                        {"#", "\\#"},
                                                                        {"$", "\\$"},
                                                                        {"%", "\\%"},
                                                                        {"&", "\\&"},
                                                                        {"_", "\\_"},
                                                                        {"~", "\\textasciitilde{}"},
                                                                        {"^", "\\textasciicircum{}"},
                                                                        {"<", "\\textless{}"},
                                                                        {">", "\\textgreater{}"},
                                                                        {"|", "\\textbar{}"},
                                                                        {"\"", "{\\char34}"},
                                                                        {"×", "$\\times$"},
                                                                        {"µ", "\\textmu{}"},
                                                                        {"…", "\\ldots{}"},
                                                                        {"·", "$\\cdot$"},
                                                                        {"–", "--"},
                                                                        {"−", "$-$"},
                                                                        {"≤", "$\\leq$"},
                                                                        {"≥", "$\\geq$"}};
  std::string all;
  while (!text.empty()) {
    bool found = false;
    for (const auto& [from, to] : kWritten)
      if (text.starts_with(from)) {
        all += to;
        text.remove_prefix(from.size());
        found = true;
        break;
      }
    if (found) continue;
    unsigned char c = static_cast<unsigned char>(text.front());
    all += c < 0x20 || c == 0x7F ? ' ' : text.front();
    text.remove_prefix(1);
  }
  return all;
}

std::string to_pgfplots(const Figure& figure) { return Axes(figure).text(); }

}  // namespace traincast
