// Scalability at a fixed batch per learner: speed-up and efficiency against learners, with the ideal.
#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

using Ideal = double (*)(double learners);

DrawnFigures scaling(const FigureSource& source, const Measure& measure, Ideal ideal) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place()) {
    std::vector<std::uint32_t> counts = learner_counts(group);
    if (counts.size() < 2) continue;
    Figure figure = by_learners(source, group, measure);
    if (figure.series.empty()) continue;
    std::vector<CurvePoint> line;
    for (std::uint32_t count : counts) line.push_back({static_cast<double>(count), ideal(count)});
    figure.series.insert(figure.series.begin(), guide("ideal", line));
    drawn.figures.push_back(std::move(figure));
  }
  if (drawn.figures.empty())
    drawn.missing =
        "a curve over learners needs two numbers of them or more at one place, with steps that take time";
  return drawn;
}

DrawnFigures draw_speedup(const FigureSource& source) {
  Measure measure{"scaling-speedup",
                  "Scaling speed-up",
                  "×",
                  "Throughput against one dense learner, at a fixed batch per learner.",
                  Scale::log2,
                  true,
                  [](const ReportedPoint& point) { return point.number("scaling_speedup"); }};
  return scaling(source, measure, [](double learners) { return learners; });
}

DrawnFigures draw_efficiency(const FigureSource& source) {
  Measure measure{"scaling-efficiency",
                  "Scaling efficiency",
                  "%",
                  "Scaling speed-up over the number of learners.",
                  Scale::linear,
                  true,
                  [](const ReportedPoint& point) -> std::optional<double> {
                    auto efficiency = point.number("scaling_efficiency");
                    return efficiency ? std::optional(100 * *efficiency) : std::nullopt;
                  }};
  return scaling(source, measure, [](double) { return 100.0; });
}

}  // namespace

const Entry<DrawFigures> kScalingSpeedupFigure{
    "scaling-speedup",
    "throughput against one dense learner over the number of learners, with the ideal",
    "",
    {},
    draw_speedup};
const Entry<DrawFigures> kScalingEfficiencyFigure{
    "scaling-efficiency", "the same over the number of learners, in per cent", "", {}, draw_efficiency};

}  // namespace traincast
