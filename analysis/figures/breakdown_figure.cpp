// Where a step's time goes, on the slowest learner: parts that add up to the step.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

// In the order of the palette of areas.
constexpr std::pair<const char*, const char*> kParts[] = {
    {"compute_seconds", "compute"},
    {"exposed_encode_seconds", "encode"},
    {"exposed_communication_seconds", "exposed communication"},
    {"exposed_decode_seconds", "decode"},
    {"wait_seconds", "wait"},
    {"slowdown_seconds", "slow-down"},
};

// All numbers of learners where the rows fit under each other, else the largest only.
std::vector<const ReportedPoint*> rows_of(const FigureSource::Group& group) {
  constexpr std::size_t kMostRows = 24;
  std::vector<const ReportedPoint*> rows = group.points;
  if (rows.size() > kMostRows) return at_most_learners(group);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ReportedPoint* a, const ReportedPoint* b) { return a->learners < b->learners; });
  return rows;
}

Figure breakdown(const FigureSource& source, const FigureSource::Group& group) {
  Figure figure =
      empty_figure(source, group, "breakdown",
                   "Step time of the slowest learner and its parts; what backward hides is not shown.");
  std::vector<const ReportedPoint*> rows = rows_of(group);
  bool several = rows.front()->learners != rows.back()->learners;
  if (!several) figure.size = learners_text(rows.front()->learners);
  double longest = 0;
  for (const ReportedPoint* row : rows) longest = std::max(longest, row->number("step_seconds").value_or(0));
  auto [unit, factor] = time_unit(longest);
  figure.x = Axis{"Step time", unit};
  figure.y.upwards = false;
  std::vector<double> places;  // with a gap where the number of learners changes
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r > 0 && rows[r]->learners != rows[r - 1]->learners) figure.y.categories.emplace_back();
    places.push_back(static_cast<double>(figure.y.categories.size()));
    figure.y.categories.push_back((several ? std::to_string(rows[r]->learners) + " · " : "") +
                                  rows[r]->label);
  }
  std::vector<double> ends(rows.size(), 0);
  unsigned style = 0;
  for (const auto& [key, name] : kParts) {
    Series part{name, Look::fill, style++};
    for (std::size_t r = 0; r < rows.size(); ++r) {
      double length = factor * rows[r]->number(key).value_or(0), middle = places[r];
      if (length > 0) part.boxes.push_back({ends[r], ends[r] + length, middle - 0.38, middle + 0.38});
      ends[r] += length;
    }
    if (!part.boxes.empty()) figure.series.push_back(std::move(part));
  }
  std::vector<double> by_place(figure.y.categories.size(), 0);
  for (std::size_t r = 0; r < rows.size(); ++r) by_place[static_cast<std::size_t>(places[r])] = ends[r];
  cut_long_bars(figure, by_place);
  return figure;
}

DrawnFigures draw(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place()) {
    Figure figure = breakdown(source, group);
    if (!figure.series.empty()) drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty()) drawn.missing = "no step takes any time";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kBreakdownFigure{
    "breakdown", "step time of each method, stacked by where it goes", "", {}, draw};

}  // namespace traincast
