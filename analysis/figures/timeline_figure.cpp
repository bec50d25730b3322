// A step as a Gantt chart: for each method, above what the slowest learner computes, below its collectives.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

// As timeline.json names it, in the legend, and the place in the palette of areas that it has in breakdowns
// too.
struct Part {
  const char* what;
  const char* name;
  unsigned style;
};
constexpr Part kParts[] = {{"forward", "forward", 6},     {"backward", "backward", 0},
                           {"optimizer", "optimizer", 7}, {"encode", "encode", 1},
                           {"decode", "decode", 3},       {"collective", "collective", 2},
                           {"wait", "wait for others", 4}};

struct RecordedStep {
  JsonReader json;
  std::string label;  // as the figures name the point
  std::int64_t learners;
  double seconds;

  RecordedStep(const JsonReader& at, std::string name)
      : json(at),
        label(std::move(name)),
        learners(at.at("learners").integer()),
        seconds(at.at("step_seconds").number()) {}
  /// The intervals of the slowest learner.
  std::vector<JsonReader> intervals() const {
    std::int64_t slowest = json.at("slowest").integer();
    for (const JsonReader& track : json.at("tracks").items())
      if (track.at("learner").integer() == slowest) return track.at("intervals").items();
    json.refuse("has no track of its slowest learner");
  }
};

Figure gantt(const FigureSource& source, const FigureSource::Group& group, std::vector<RecordedStep> steps) {
  Figure figure =
      empty_figure(source, group, "timeline",
                   "A step of the slowest learner: above what it computes, below its collectives, each "
                   "from the moment when all learners are ready for it until this one is done.");
  constexpr std::size_t kMostRows = 12;
  if (steps.size() > kMostRows) {
    std::stable_sort(steps.begin(), steps.end(),
                     [](const RecordedStep& a, const RecordedStep& b) { return a.seconds < b.seconds; });
    figure.notes.push_back("The " + std::to_string(kMostRows) + " shortest steps; the other " +
                           std::to_string(steps.size() - kMostRows) + " are in trace.json");
    steps.erase(steps.begin() + kMostRows, steps.end());
  }
  figure.size = learners_text(static_cast<std::uint64_t>(steps.front().learners));
  double longest = 0;
  for (const RecordedStep& step : steps) longest = std::max(longest, step.seconds);
  auto [unit, factor] = time_unit(longest);
  figure.x = Axis{"Time in the step", unit};
  figure.y.upwards = false;
  figure.row = 19;
  for (const Part& part : kParts) figure.series.push_back({part.name, Look::fill, part.style});
  for (std::size_t row = 0; row < steps.size(); ++row) {
    figure.y.categories.push_back(steps[row].label);
    for (const JsonReader& interval : steps[row].intervals()) {
      std::string what = interval.at("what").text();
      auto part =
          std::find_if(std::begin(kParts), std::end(kParts), [&](const Part& p) { return p.what == what; });
      if (part == std::end(kParts)) continue;  // idle while a collective is under way
      double top = static_cast<double>(row) - 0.38, middle = static_cast<double>(row);
      bool below = what == "collective";
      figure.series[static_cast<std::size_t>(part - std::begin(kParts))].boxes.push_back(
          {factor * interval.at("start").number(), factor * interval.at("end").number(), below ? middle : top,
           below ? middle + 0.38 : middle});
    }
  }
  std::erase_if(figure.series, [](const Series& series) { return series.boxes.empty(); });
  std::vector<double> ends;
  for (const RecordedStep& step : steps) ends.push_back(factor * step.seconds);
  cut_long_bars(figure, ends);
  return figure;
}

DrawnFigures draw(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place()) {
    std::vector<RecordedStep> here;
    for (const ReportedPoint* point : group.points) {
      if (point->report >= source.timelines.size() || source.timelines[point->report].is_null()) continue;
      JsonReader timeline(source.timelines[point->report], "timeline.json");
      for (const JsonReader& step : timeline.at("steps").items())
        if (point->is_of(step)) here.emplace_back(step, point->label);
    }
    if (!here.empty()) drawn.figures.push_back(gantt(source, group, std::move(here)));
  }
  if (drawn.figures.empty())
    drawn.missing = "beside the report is no timeline.json, which a run with --out keeps";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kTimelineFigure{
    "timeline", "a step of the slowest learner as a Gantt chart, by method", "", {}, draw};

}  // namespace traincast
