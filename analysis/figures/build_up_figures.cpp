// Gradient build-up: how far the union of the learners' supports outgrows one of them. It lies between 1,
// where all share one support (Chen et al. 2020, ScaleCom), and what supports that know nothing of each other
// give.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

// All of it on the line of shared support, where a prediction for independent ones tells nothing.
bool shared(const Series& curve) {
  return std::ranges::all_of(curve.points, [](const CurvePoint& at) { return !at.y || *at.y < 1 + 1e-9; });
}

// The prediction for each curve, in its style; without a name of its own.
void add_independent(Figure& figure, const FigureSource::Group& group) {
  std::vector<Series> curves = figure.series;
  for (const Series& curve : curves) {
    if (!curve.style || shared(curve)) continue;
    Series independent{curve.name + ", independent supports", Look::companion, curve.style};
    for (const CurvePoint& at : curve.points)
      for (const ReportedPoint* point : group.points)
        if (point->label == curve.name && point->learners == at.x)
          independent.points.push_back({at.x, point->number("build_up/independent")});
    figure.series.push_back(std::move(independent));
  }
  figure.series.push_back({"independent supports", Look::companion});
}

DrawnFigures draw_final(const FigureSource& source) {
  DrawnFigures drawn;
  Measure measure{
      "build-up",
      "Gradient build-up",
      "×",
      "Union of the learners' supports over the mean support: 1 where all share one; dotted, in the "
      "colour of the method, what supports of these sizes that know nothing of each other would give.",
      Scale::log2,
      true,
      [](const ReportedPoint& point) { return point.number("build_up/final"); }};
  for (const FigureSource::Group& group : source.by_place()) {
    Figure figure = by_learners_or_method(source, group, measure);
    if (figure.series.empty()) continue;
    if (figure.y.categories.empty()) {
      add_independent(figure, group);
      figure.series.insert(figure.series.begin(),
                           guide("shared support", {{*figure.x.low, 1}, {*figure.x.high, 1}}));
    } else {
      Series independent{"independent supports", Look::dots, 6};
      for (const ReportedPoint* point : at_most_learners(group)) {
        auto row = std::find(figure.y.categories.begin(), figure.y.categories.end(), point->label);
        if (auto value = point->number("build_up/independent"); value && row != figure.y.categories.end())
          independent.points.push_back({*value, static_cast<double>(row - figure.y.categories.begin())});
      }
      figure.series.front().name = "measured";
      figure.series.push_back(std::move(independent));
    }
    drawn.figures.push_back(std::move(figure));
  }
  keep_one_where_equal(drawn.figures, "build-up");
  if (drawn.figures.empty()) drawn.missing = "no method of the report has supports";
  return drawn;
}

Figure by_hop(const FigureSource& source, const FigureSource::Group& group) {
  Figure figure =
      empty_figure(source, group, "build-up-by-hop",
                   "Union of the supports of the first learners over the mean support, as it grows "
                   "from hop to hop.");
  std::uint32_t learners = learner_counts(group).back();
  figure.size = learners_text(learners);
  figure.x = Axis{"Learners united", "count"};
  figure.x.scale = Scale::log2;
  figure.y = Axis{"Gradient build-up", "×"};
  figure.y.scale = Scale::log2;
  for (const ReportedPoint* point : at_most_learners(group)) {
    auto hops = point->find("build_up/by_hop");
    if (!hops) continue;
    Series curve{point->label};
    for (const JsonReader& hop : hops->items())
      curve.points.push_back({static_cast<double>(curve.points.size() + 1), hop.number()});
    if (!curve.points.empty()) figure.series.push_back(std::move(curve));
  }
  give_styles(figure.series, source, last_value);
  return figure;
}

DrawnFigures draw_by_hop(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place())
    if (Figure figure = by_hop(source, group); !figure.series.empty() && learner_counts(group).back() > 1)
      drawn.figures.push_back(std::move(figure));
  keep_one_where_equal(drawn.figures, "build-up-by-hop");
  if (drawn.figures.empty()) drawn.missing = "no method of the report has supports of several learners";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kBuildUpFigure{
    "build-up",
    "gradient build-up over learners, between shared and independent supports",
    "",
    {},
    draw_final};
const Entry<DrawFigures> kBuildUpByHopFigure{
    "build-up-by-hop", "gradient build-up as more and more learners unite", "", {}, draw_by_hop};

}  // namespace traincast
