// What was learned, over simulated time and over bytes sent: one curve a method, the mean over seeds.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

struct At {
  double x = 0, accuracy = 0;
  double runs = 0;
};

// At each evaluation, means over the runs that came so far.
std::vector<CurvePoint> mean_curve(const ReportedPoint& point, std::string_view over) {
  std::vector<At> sums;
  for (const JsonReader& run : point.find("training/runs")->items()) {
    std::vector<JsonReader> curve = run.at("curve").items();
    sums.resize(std::max(sums.size(), curve.size()));
    for (std::size_t i = 0; i < curve.size(); ++i) {
      if (curve[i].at("accuracy").value().is_null()) continue;
      sums[i].x += curve[i].at(over).number();
      sums[i].accuracy += 100 * curve[i].at("accuracy").number();
      ++sums[i].runs;
    }
  }
  std::vector<CurvePoint> points;
  for (const At& at : sums)
    if (at.runs > 0) points.push_back({at.x / at.runs, at.accuracy / at.runs});
  return points;
}

using UnitOf = std::pair<std::string, double> (*)(double largest);

DrawnFigures draw(const FigureSource& source, const std::string& name, std::string_view over,
                  const char* quantity, UnitOf unit_of) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place()) {
    Figure figure = empty_figure(source, group, name,
                                 "Accuracy on held-out samples while training, the method in the loop; means "
                                 "over seeds.");
    double largest = 0;
    for (const ReportedPoint* point : at_most_learners(group)) {
      if (!point->find("training/runs")) continue;
      Series& series = figure.series.emplace_back(Series{point->label});
      series.points = mean_curve(*point, over);
      for (const CurvePoint& at : series.points) largest = std::max(largest, at.x);
    }
    if (figure.series.empty()) continue;
    auto [unit, factor] = unit_of(largest);
    for (Series& series : figure.series)
      for (CurvePoint& at : series.points) at.x *= factor;
    figure.size = learners_text(learner_counts(group).back());
    figure.x = Axis{quantity, unit};
    figure.y = Axis{"Accuracy", "%"};
    give_styles(figure.series, source, last_value);
    drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty()) drawn.missing = "no point was trained with its method in the loop";
  return drawn;
}

DrawnFigures draw_over_time(const FigureSource& source) {
  return draw(source, "accuracy-time", "seconds", "Simulated time", time_unit);
}

DrawnFigures draw_over_bytes(const FigureSource& source) {
  DrawnFigures drawn = draw(source, "accuracy-bytes", "bytes", "Sent by a learner", byte_unit);
  keep_one_where_equal(drawn.figures, "accuracy-bytes");
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

}  // namespace traincast
