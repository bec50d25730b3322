// Compression ratio tensor by tensor, where a method treats tensors apart.
#include <algorithm>

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
  figure.title += (figure.title.empty() ? "" : ", ") + std::to_string(learners) +
                  (learners == 1 ? " learner" : " learners");
  figure.x = Axis{"Tensor", ""};
  figure.y = Axis{"Compression ratio", "×"};
  figure.y.scale = Scale::log10;
  std::size_t untold = 0;
  for (const ReportedPoint* point : at_most_learners(group)) {
    auto all = point->find("layers");
    Series curve{point->label};
    bool any = false;
    if (all)
      for (const JsonReader& layer : all->items()) {
        std::string name = layer.at("name").text();
        auto place = std::find(figure.x.categories.begin(), figure.x.categories.end(), name);
        auto at = static_cast<double>(place - figure.x.categories.begin());
        if (place == figure.x.categories.end()) figure.x.categories.push_back(name);
        JsonReader ratio = layer.at("ratio");
        curve.points.push_back({at, ratio.value().is_null() ? std::nullopt : std::optional(ratio.number())});
        any = any || curve.points.back().y;
      }
    if (any)
      figure.series.push_back(std::move(curve));
    else
      ++untold;
  }
  if (untold > 0)
    figure.notes.push_back(std::to_string(untold) + (untold == 1 ? " method" : " methods") +
                           " without bytes by tensor: one message carries a whole bucket");
  give_styles(figure.series, source, true);
  return figure;
}

DrawnFigures draw(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place())
    if (Figure figure = layers(source, group); !figure.series.empty())
      drawn.figures.push_back(std::move(figure));
  if (drawn.figures.empty()) drawn.missing = "no point tells its bytes tensor by tensor";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kLayersFigure{"layers", "compression ratio by layer", "", {}, draw};

}  // namespace traincast
