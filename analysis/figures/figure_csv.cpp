#include <algorithm>
#include <cmath>

#include "analysis/figures/renderers.hpp"
#include "base/json.hpp"

namespace traincast {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of("\",\r\n") == text.npos) return text;
  std::string all = "\"";
  for (char c : text) all += c == '"' ? std::string("\"\"") : std::string(1, c);
  return all + "\"";
}

// Numbers survive a round trip.
std::string cell(const Axis& axis, double value) {
  if (axis.categories.empty()) return std::isfinite(value) ? Json(value).dump(-1) : "";
  auto place = static_cast<std::size_t>(std::lround(value));
  return place < axis.categories.size() ? quoted(axis.categories[place]) : "";
}

std::string head(const Axis& axis, const char* otherwise) {
  return quoted(axis.title().empty() ? otherwise : axis.title());
}

std::string box_columns(const Axis& axis, const char* otherwise) {
  std::string name = axis.title().empty() ? otherwise : axis.title();
  if (!axis.categories.empty()) return quoted(name);
  return quoted(name + " from") + "," + quoted(name + " to") + "," + quoted(name + " length");
}

std::string box_cells(const Axis& axis, double from, double to) {
  if (!axis.categories.empty()) return cell(axis, (from + to) / 2);
  return cell(axis, from) + "," + cell(axis, to) + "," + cell(axis, to - from);
}

}  // namespace

std::string to_figure_csv(const Figure& figure) {
  bool boxes = std::any_of(figure.series.begin(), figure.series.end(),
                           [](const Series& series) { return !series.boxes.empty(); });
  std::string csv;
  if (boxes) {
    csv = "series," + box_columns(figure.y, "row") + "," + box_columns(figure.x, "column") + ",text\n";
    for (const Series& series : figure.series)
      for (const Box& box : series.boxes)
        csv += quoted(series.name) + "," + box_cells(figure.y, box.bottom, box.top) + "," +
               box_cells(figure.x, box.left, box.right) + "," + quoted(box.text) + "\n";
    return csv;
  }
  csv = "series," + head(figure.x, "column") + "," + head(figure.y, "row") + "\n";
  for (const Series& series : figure.series)
    for (const CurvePoint& point : series.points)
      csv += quoted(series.name) + "," + cell(figure.x, point.x) + "," +
             (point.y ? cell(figure.y, *point.y) : "") + "\n";
  return csv;
}

}  // namespace traincast
