// Compression ratio tensor by tensor, where a method treats tensors apart.
#include <algorithm>
#include <cmath>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

Figure layers(const FigureSource& source, const FigureSource::Group& group) {
  Figure figure =
      empty_figure(source, group, "layers",
                   "Bytes of a tensor in fp32 over the encoded bytes that a learner contributes for it, "
                   "in the model's order.");
  std::uint32_t learners = learner_counts(group).back();
  figure.size = learners_text(learners);
  figure.x = Axis{"Compression ratio", "×"};
  figure.x.scale = Scale::log10;
  figure.y = Axis{"", ""};
  figure.y.upwards = false;
  std::size_t untold = 0;
  for (const ReportedPoint* point : at_most_learners(group)) {
    auto all = point->find("layers");
    Series dots{point->label, Look::dots};
    bool any = false;
    if (all)
      for (const JsonReader& layer : all->items()) {
        std::string name = layer.at("name").text();
        auto place = std::find(figure.y.categories.begin(), figure.y.categories.end(), name);
        auto at = static_cast<double>(place - figure.y.categories.begin());
        if (place == figure.y.categories.end()) figure.y.categories.push_back(name);
        JsonReader ratio = layer.at("ratio");
        if (!ratio.value().is_null()) dots.points.push_back({ratio.number(), at});
        any = any || !ratio.value().is_null();
      }
    if (any)
      figure.series.push_back(std::move(dots));
    else
      ++untold;
  }
  if (untold > 0)
    figure.notes.push_back(std::to_string(untold) + (untold == 1 ? " method" : " methods") +
                           " without bytes by tensor: one message carries a whole bucket");
  constexpr double kRow = 9, kTallest = 420;
  figure.row =
      std::min(kRow, kTallest / std::max<double>(1, static_cast<double>(figure.y.categories.size())));
  give_styles(figure.series, source, [](const Series& dots) {
    double sum = 0;
    for (const CurvePoint& point : dots.points) sum += std::log(point.x);
    return sum / static_cast<double>(dots.points.size());
  });
  return figure;
}

DrawnFigures draw(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place())
    if (Figure figure = layers(source, group); !figure.series.empty())
      drawn.figures.push_back(std::move(figure));
  keep_one_where_equal(drawn.figures, "layers");
  if (drawn.figures.empty()) drawn.missing = "no point tells its bytes tensor by tensor";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kLayersFigure{"layers", "compression ratio by layer", "", {}, draw};

}  // namespace traincast
