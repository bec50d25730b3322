#include "analysis/figures/layout.hpp"

#include <algorithm>
#include <cmath>

namespace traincast {

namespace {

constexpr double kEdge = 3, kLegendRow = 10, kFootRow = 7.5, kTitleRow = 13;

// In thousandths of the font's size.
double character_width(char c) {
  if ((c & 0xC0) == 0x80) return 0;  // goes on a character of UTF-8
  for (auto [characters, width] : {std::pair{"ijl|'", 215.0},
                                   {"It.,:;!/\\ f", 278.0},
                                   {"()[]r-`", 333.0},
                                   {"ckvxyszJ", 500.0},
                                   {"mMW%@", 850.0},
                                   {"GOQwCDHNRU&", 725.0},
                                   {"ABEKPSVXY", 667.0},
                                   {"FTZL=+<>~", 590.0}})
    if (std::string_view(characters).find(c) != std::string_view::npos) return width;
  return 556;
}

// Breaks at spaces.
std::vector<std::string> lines_of(const std::string& text, double width, double font_size) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    if (!lines.empty() && text_width(lines.back() + " " + word, font_size) <= width)
      lines.back() += " " + word;
    else
      lines.push_back(word);
    at = end + 1;
  }
  return lines;
}

std::vector<LegendEntry> legend_of(const Figure& figure) {
  std::vector<LegendEntry> entries;
  for (const Series& series : figure.series)
    if (in_legend(series)) entries.push_back({series.name, series.look, series.style});
  auto other = std::find_if(figure.series.begin(), figure.series.end(), is_other);
  if (std::size_t others = count_others(figure); others > 0)
    entries.push_back({std::to_string(others) + " others (see CSV)", other->look, {}});
  return entries;
}

// Into columns of one width, below the axes; gives the height that they take.
double place_legend(std::vector<LegendEntry>& entries, double room) {
  double widest = 0;
  for (LegendEntry& entry : entries) {
    entry.text = shortened(entry.text, room - kSampleWidth - 4, kTickFontSize);
    widest = std::max(widest, kSampleWidth + 4 + text_width(entry.text, kTickFontSize) + 8);
  }
  auto columns = std::clamp<std::size_t>(static_cast<std::size_t>(room / std::max(1.0, widest)), 1,
                                         std::max<std::size_t>(1, entries.size()));
  std::size_t rows = (entries.size() + columns - 1) / columns;
  columns = rows > 0 ? (entries.size() + rows - 1) / rows : columns;
  double left = kEdge + std::max(0.0, (room - widest * static_cast<double>(columns)) / 2);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].left = left + widest * static_cast<double>(i / rows);
    entries[i].middle = -kLegendRow * (static_cast<double>(i % rows) + 0.5);
  }
  return kLegendRow * static_cast<double>(rows);
}

struct Values {
  std::vector<double> x, y;
};

Values values_of(const Figure& figure) {
  Values values;
  for (const Series& series : figure.series) {
    for (const CurvePoint& point : series.points) {
      if (!point.y) continue;
      values.x.push_back(point.x);
      values.y.push_back(*point.y);
    }
    for (const Box& box : series.boxes) {
      values.x.insert(values.x.end(), {box.left, box.right});
      values.y.insert(values.y.end(), {box.bottom, box.top});
    }
  }
  return values;
}

double widest_label(const AxisRange& range) {
  double widest = 0;
  for (const Tick& tick : range.ticks) widest = std::max(widest, text_width(tick.label, kTickFontSize));
  return widest;
}

double axes_height(const Figure& figure) {
  constexpr double kCurves = 122;
  double least = text_width(figure.y.title(), kFontSize) + 4;
  if (figure.y.categories.empty()) return std::max(kCurves, least);
  return std::max(least, figure.row * static_cast<double>(figure.y.categories.size()));
}

}  // namespace

double text_width(std::string_view text, double font_size) {
  double width = 0;
  for (char c : text) width += character_width(c);
  return width * font_size / 1000;
}

std::string shortened(const std::string& text, double width, double font_size) {
  if (text_width(text, font_size) <= width) return text;
  auto starts_character = [&](std::size_t i) { return i >= text.size() || (text[i] & 0xC0) != 0x80; };
  for (std::size_t kept = text.size(); kept-- > 2;) {
    std::size_t tail = kept / 3, head = kept - tail;
    while (!starts_character(head)) --head;
    std::size_t rest = text.size() - tail;
    while (!starts_character(rest)) ++rest;
    std::string cut = text.substr(0, head) + "…" + text.substr(rest);
    if (text_width(cut, font_size) <= width) return cut;
  }
  return "…";
}

bool is_other(const Series& series) {
  return !series.style && (series.look == Look::line || series.look == Look::dots);
}

bool in_legend(const Series& series) {
  if (is_other(series)) return false;
  if (series.look == Look::companion && series.style) return false;
  return !series.name.empty();
}

std::size_t count_others(const Figure& figure) {
  return static_cast<std::size_t>(
      std::count_if(figure.series.begin(), figure.series.end(),
                    [](const Series& series) { return is_other(series) && !series.name.empty(); }));
}

std::optional<Box> visible(const Box& box, const Layout& layout) {
  Box shown = box;
  shown.left = std::max(box.left, layout.x.low);
  shown.right = std::min(box.right, layout.x.high);
  if (shown.left > shown.right) return std::nullopt;
  return shown;
}

std::vector<bool> marked_points(const Series& series, const Axis& x, const AxisRange& range) {
  constexpr std::size_t kMostMarkers = 16;
  std::vector<bool> marked(series.points.size(), true);
  if (series.points.size() <= kMostMarkers) return marked;
  auto place = [&](double at) {
    return x.scale == Scale::linear ? (at - range.low) / (range.high - range.low)
                                    : std::log(at / range.low) / std::log(range.high / range.low);
  };
  double last = -1;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    double here = place(series.points[i].x);
    marked[i] = here - last >= 1.0 / kMostMarkers;
    if (marked[i]) last = here;
  }
  return marked;
}

Layout lay_out(const Figure& figure) {
  Layout layout;
  Values values = values_of(figure);
  double axes = axes_height(figure);
  bool lanes = !figure.y.categories.empty(), named_x = !figure.x.categories.empty();

  layout.y = range_of(figure.y, values.y, axes);
  if (lanes)
    for (Tick& tick : layout.y.ticks) tick.label = shortened(tick.label, 0.45 * kColumnWidth, kTickFontSize);
  bool y_title = !figure.y.title().empty();
  layout.left = kEdge + (y_title ? kFontSize + 5 : 0) + widest_label(layout.y) + 5;
  layout.right = layout.width - 8;
  layout.x = range_of(figure.x, values.x, layout.right - layout.left);
  if (named_x)
    for (Tick& tick : layout.x.ticks) tick.label = shortened(tick.label, 80, kTickFontSize);
  double slot =
      (layout.right - layout.left) / std::max<double>(1, static_cast<double>(layout.x.ticks.size()));
  layout.upright = named_x && widest_label(layout.x) > slot - 4;
  double below = layout.upright ? widest_label(layout.x) + 5 : kTickFontSize + 5;

  std::vector<LegendEntry> entries = legend_of(figure);
  double legend = place_legend(entries, layout.width - 2 * kEdge);
  std::string foot = figure.source;
  for (const std::string& note : figure.notes) foot += ". " + note;
  layout.foot = lines_of(foot, layout.width - 2 * kEdge, kFootFontSize);
  double foot_height = kFootRow * static_cast<double>(layout.foot.size());

  bool x_title = !figure.x.title().empty();
  double under = below + (x_title ? kFontSize + 4 : 0);
  layout.bottom = kEdge + foot_height + 2 + legend + (entries.empty() ? 0 : 2) + under;
  layout.top = layout.bottom + axes;
  layout.height = layout.top + (figure.title().empty() ? 6 : kTitleRow + 2);
  layout.x_title = layout.bottom - below - kFontSize / 2 - 1;
  layout.x_title_middle = std::min((layout.left + layout.right) / 2,
                                   layout.width - kEdge - text_width(figure.x.title(), kFontSize) / 2);
  layout.foot_top = kEdge + foot_height;
  for (LegendEntry& entry : entries) entry.middle += layout.bottom - under - 2;
  layout.legend = std::move(entries);
  return layout;
}

}  // namespace traincast
