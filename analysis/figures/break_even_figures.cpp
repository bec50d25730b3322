// Where compression pays: the winner at every bandwidth and number of learners that was simulated, and the
// ranges of bandwidth in which each method beats the best dense run.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

struct Winner {
  std::string name;
  double speedup = 1;
};

// The shortest step; the best dense run where that is shorter still, for it is computed for every point.
Winner winner_of(const std::vector<const ReportedPoint*>& points) {
  const ReportedPoint* best = points.front();
  for (const ReportedPoint* point : points)
    if (point->number("step_seconds") < best->number("step_seconds")) best = point;
  double speedup = best->number("speedup").value_or(1);
  if (best->compressor == "none" || speedup <= 1) {
    auto dense = best->find("best_dense");
    return {dense && speedup <= 1 ? dense->text() : best->label, 1};
  }
  return {best->label, speedup};
}

std::string two_digits(double value) {
  char text[16];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f" : "%.0f", value);
  return text;
}

Figure map_of(const FigureSource& source, FigureSource::Group group, const std::vector<double>& bandwidths) {
  Figure figure =
      empty_figure(source, group, "break-even-map",
                   "The fastest method at every bandwidth and number of learners, with its speed-up "
                   "over the best dense run.");
  std::vector<std::uint32_t> counts = learner_counts(group);
  figure.x = Axis{"Bandwidth between machines", ""};
  for (double bandwidth : bandwidths) figure.x.categories.push_back(format_bandwidth(bandwidth));
  figure.y = Axis{"Learners", "count"};
  figure.row = 18;
  for (std::uint32_t count : counts) figure.y.categories.push_back(std::to_string(count));
  constexpr std::size_t kReadable = 8;
  for (std::size_t b = 0; b < bandwidths.size(); ++b)
    for (std::size_t n = 0; n < counts.size(); ++n) {
      std::vector<const ReportedPoint*> here;
      for (const ReportedPoint* point : group.points)
        if (point->bandwidth == bandwidths[b] && point->learners == counts[n]) here.push_back(point);
      if (here.empty()) continue;
      Winner winner = winner_of(here);
      auto series = std::find_if(figure.series.begin(), figure.series.end(),
                                 [&](const Series& known) { return known.name == winner.name; });
      if (series == figure.series.end())
        series = figure.series.insert(series,
                                      {winner.name, Look::fill, static_cast<unsigned>(figure.series.size())});
      double x = static_cast<double>(b), y = static_cast<double>(n);
      series->boxes.push_back(
          {x - 0.5, x + 0.5, y - 0.5, y + 0.5,
           bandwidths.size() <= kReadable && winner.speedup > 1 ? two_digits(winner.speedup) + "×" : ""});
    }
  // A letter for each winner, so that the map can be read without its colours.
  for (std::size_t s = 0; s < figure.series.size(); ++s) {
    std::string letter(1, static_cast<char>('A' + s % 26));
    for (Box& box : figure.series[s].boxes) box.text = letter + (box.text.empty() ? "" : " " + box.text);
    figure.series[s].name = letter + ": " + figure.series[s].name;
  }
  return figure;
}

DrawnFigures draw_map(const FigureSource& source) {
  std::vector<FigureSource::Group> groups;
  for (const ReportedPoint& point : source.points) {
    auto same = std::find_if(groups.begin(), groups.end(),
                             [&](const FigureSource::Group& group) { return group.where == point.place; });
    if (same == groups.end()) same = groups.insert(same, {point.place, slug_of(point.place), {}});
    same->points.push_back(&point);
  }
  if (groups.size() == 1) groups.front().slug.clear();
  DrawnFigures drawn;
  for (const FigureSource::Group& group : groups) {
    std::vector<double> bandwidths;
    for (const ReportedPoint* point : group.points) bandwidths.push_back(point->bandwidth);
    std::sort(bandwidths.begin(), bandwidths.end());
    bandwidths.erase(std::unique(bandwidths.begin(), bandwidths.end()), bandwidths.end());
    if (bandwidths.size() > 1 && learner_counts(group).size() > 1)
      drawn.figures.push_back(map_of(source, group, bandwidths));
  }
  if (drawn.figures.empty())
    drawn.missing = "a map needs two bandwidths and two numbers of learners or more at one place";
  return drawn;
}

// Two bandwidths.
std::pair<double, double> gigabits(const JsonReader& range) {
  constexpr double kGigabit = 8e-9;
  std::vector<JsonReader> ends = range.items();
  if (ends.size() != 2) range.refuse("must hold two bandwidths");
  return {kGigabit * ends[0].number(), kGigabit * ends[1].number()};
}

// A row a method; its box is where it wins.
Figure ranges_of(const FigureSource& source, const std::string& place,
                 const std::vector<JsonReader>& entries) {
  FigureSource::Group group{place, slug_of(place), {}};
  Figure figure =
      empty_figure(source, group, "break-even-ranges",
                   "Bandwidths of the network between machines at which a step is shorter than the best "
                   "dense one's; outside of the axis nothing was tried.");
  figure.x = Axis{"Bandwidth between machines", "Gb/s"};
  figure.x.scale = Scale::log10;
  figure.y.upwards = false;
  Series wins{"beats the best dense run", Look::fill, 2};
  for (const JsonReader& entry : entries) {
    auto row = static_cast<double>(figure.y.categories.size());
    std::string learners = learners_text(static_cast<std::uint64_t>(entry.at("learners").integer()));
    bool same = entry.at("learners").value() == entries.front().at("learners").value();
    if (figure.y.categories.empty()) figure.size = learners;
    figure.y.categories.push_back(entry.at("label").text() + (same ? "" : ", " + learners));
    auto [tried_from, tried_to] = gigabits(entry.at("searched_bytes_per_second"));
    figure.x.low = std::min(figure.x.low.value_or(INFINITY), tried_from);
    figure.x.high = std::max(figure.x.high.value_or(0), tried_to);
    for (const JsonReader& range : entry.at("wins_bytes_per_second").items()) {
      auto [from, to] = gigabits(range);
      wins.boxes.push_back({from, to, row - 0.38, row + 0.38});
    }
  }
  figure.series.push_back(std::move(wins));
  return figure;
}

DrawnFigures draw_ranges(const FigureSource& source) {
  std::vector<std::pair<std::string, std::vector<JsonReader>>> places;
  for (const Json& report : source.reports) {
    auto all = JsonReader(report, "report").find("break_even");
    if (!all) continue;
    for (const JsonReader& entry : all->items()) {
      std::string place = entry.at("place").text();
      auto same =
          std::find_if(places.begin(), places.end(), [&](const auto& known) { return known.first == place; });
      if (same == places.end()) same = places.insert(same, {place, {}});
      same->second.push_back(entry);
    }
  }
  DrawnFigures drawn;
  for (const auto& [place, entries] : places) {
    Figure figure = ranges_of(source, place, entries);
    if (places.size() == 1) figure.name = "break-even-ranges";
    drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty()) drawn.missing = "the report has no break-even bandwidths";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kBreakEvenMapFigure{
    "break-even-map", "who wins, over bandwidth and learners", "", {}, draw_map};
const Entry<DrawFigures> kBreakEvenRangesFigure{
    "break-even-ranges", "bandwidths at which each method beats the best dense run", "", {}, draw_ranges};

}  // namespace traincast
