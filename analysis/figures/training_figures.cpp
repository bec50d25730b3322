// What was learned, over simulated time and over bytes sent, and how alike the learners were on the way: one
// curve a method, the mean over seeds.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

struct At {
  double x = 0, y = 0;
  double runs = 0;
};

// At each evaluation, means over the runs that did not diverge.
std::vector<CurvePoint> mean_curve(const ReportedPoint& point, std::string_view over, std::string_view key,
                                   double factor) {
  std::vector<At> sums;
  for (const JsonReader& run : point.find("training/runs")->items()) {
    if (!run.at("divergence").value().is_null()) continue;
    std::vector<JsonReader> curve = run.at("curve").items();
    sums.resize(std::max(sums.size(), curve.size()));
    for (std::size_t i = 0; i < curve.size(); ++i) {
      auto y = curve[i].find(key);
      if (!y || y->value().is_null()) continue;
      sums[i].x += curve[i].at(over).number();
      sums[i].y += factor * y->number();
      ++sums[i].runs;
    }
  }
  std::vector<CurvePoint> points;
  for (const At& at : sums)
    if (at.runs > 0) points.push_back({at.x / at.runs, at.y / at.runs});
  return points;
}

using UnitOf = std::pair<std::string, double> (*)(double largest);

struct Drawn {
  const char *name, *title;
  const char *over, *across;  // key and quantity
  UnitOf unit_of;
  const char *key, *up, *unit;
  double factor;
  const char* missing;
};

DrawnFigures draw(const FigureSource& source, const Drawn& what) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place()) {
    Figure figure = empty_figure(source, group, what.name, what.title);
    double largest = 0;
    for (const ReportedPoint* point : at_most_learners(group)) {
      if (!point->find("training/runs")) continue;
      Series series{point->label};
      series.points = mean_curve(*point, what.over, what.key, what.factor);
      if (series.points.empty()) continue;
      for (const CurvePoint& at : series.points) largest = std::max(largest, at.x);
      figure.series.push_back(std::move(series));
    }
    if (figure.series.empty()) continue;
    auto [unit, factor] = what.unit_of(largest);
    for (Series& series : figure.series)
      for (CurvePoint& at : series.points) at.x *= factor;
    figure.size = learners_text(learner_counts(group).back());
    figure.x = Axis{what.across, unit};
    figure.y = Axis{what.up, what.unit};
    give_styles(figure.series, source, last_value);
    drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty()) drawn.missing = what.missing;
  return drawn;
}

std::pair<std::string, double> as_it_is(double) { return {"count", 1}; }

constexpr const char* kAccuracy =
    "Accuracy on held-out samples while training, the method in the loop; means over seeds.";
constexpr const char* kNoTraining = "no point was trained to its end with its method in the loop";

DrawnFigures draw_over_time(const FigureSource& source) {
  return draw(source, {"accuracy-time", kAccuracy, "seconds", "Simulated time", time_unit, "accuracy",
                       "Accuracy", "%", 100, kNoTraining});
}

DrawnFigures draw_over_bytes(const FigureSource& source) {
  DrawnFigures drawn = draw(source, {"accuracy-bytes", kAccuracy, "bytes", "Sent by a learner", byte_unit,
                                     "accuracy", "Accuracy", "%", 100, kNoTraining});
  keep_one_where_equal(drawn.figures, "accuracy-bytes");
  return drawn;
}

DrawnFigures draw_memories(const FigureSource& source) {
  DrawnFigures drawn = draw(
      source, {"memory-distance",
               "Cosine distance between the error memories of two learners while training, the mean over "
               "all pairs and over seeds.",
               "epoch", "Epoch", as_it_is, "memory_cosine_distance", "Distance of memories", "1 − cos", 1,
               "no point was trained to its end with error memories of its learners in the loop"});
  keep_one_where_equal(drawn.figures, "memory-distance");
  return drawn;
}

DrawnFigures draw_selections(const FigureSource& source) {
  DrawnFigures drawn = draw(
      source, {"selection-distance",
               "Share of the selected entries that are not among as many largest ones of the mean of "
               "gradients and memories (normalised Hamming distance to true top-k) while training; means "
               "over seeds.",
               "epoch", "Epoch", as_it_is, "selection_hamming_distance", "Distance to true top-k", "%", 100,
               "no point was trained to its end with a method in the loop that selects entries"});
  keep_one_where_equal(drawn.figures, "selection-distance");
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kAccuracyTimeFigure{
    "accuracy-time",
    "accuracy on held-out samples over simulated time, of training with the method in the loop",
    "",
    {},
    draw_over_time};
const Entry<DrawFigures> kAccuracyBytesFigure{
    "accuracy-bytes", "the same over the bytes that a learner has sent", "", {}, draw_over_bytes};

const Entry<DrawFigures> kMemoryDistanceFigure{
    "memory-distance",
    "cosine distance of learners' error memories over epochs, of training with the method in the loop",
    "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), figure 2",
    {},
    draw_memories};
const Entry<DrawFigures> kSelectionDistanceFigure{
    "selection-distance",
    "normalised Hamming distance of selections and true top-k over epochs",
    "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), figure 3",
    {},
    draw_selections};

}  // namespace traincast
