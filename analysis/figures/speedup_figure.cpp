// Speed-up over the best dense run.
#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

DrawnFigures draw(const FigureSource& source) {
  DrawnFigures drawn;
  Measure measure{"speedup",
                  "Speed-up over dense",
                  "×",
                  "Step time of the best dense run (fp32 or bf16) over that of the method.",
                  Scale::linear,
                  true,
                  [](const ReportedPoint& point) { return point.number("speedup"); }};
  for (const FigureSource::Group& group : source.by_place()) {
    Figure figure = by_learners_or_method(source, group, measure);
    if (figure.series.empty()) continue;
    bool curves = figure.y.categories.empty();
    std::vector<CurvePoint> even{
        {curves ? *figure.x.low : 1, curves ? 1 : -0.5},
        {curves ? *figure.x.high : 1, curves ? 1 : static_cast<double>(figure.y.categories.size()) - 0.5}};
    figure.series.insert(figure.series.begin(), guide("best dense", even));
    drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty()) drawn.missing = "no point has a speed-up";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kSpeedupFigure{
    "speedup", "speed-up over the best dense run, over learners or by method", "", {}, draw};

}  // namespace traincast
