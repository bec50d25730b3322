// Bytes of a step: what a learner sends, and what crosses the links of each tier.
#include <algorithm>

#include "analysis/figures/figure_kinds.hpp"
#include "analysis/figures/method_figures.hpp"

namespace traincast {

namespace {

using Value = std::function<std::optional<double>(const ReportedPoint&)>;

// A logarithmic axis has no place for a single learner's zero bytes.
bool add_traffic(DrawnFigures& drawn, const FigureSource& source, const FigureSource::Group& group,
                 Measure measure, const Value& bytes) {
  double most = 0;
  for (const ReportedPoint* point : group.points) most = std::max(most, bytes(*point).value_or(0));
  auto [unit, factor] = byte_unit(most);
  measure.unit = unit;
  measure.scale = Scale::log10;
  measure.most_is_best = false;
  measure.value = [&, scale = factor](const ReportedPoint& point) -> std::optional<double> {
    auto value = bytes(point);
    return value ? std::optional(scale * *value) : std::nullopt;
  };
  Figure figure = by_learners_or_method(source, group, measure);
  if (figure.series.empty() || most == 0) return false;
  if (std::any_of(group.points.begin(), group.points.end(),
                  [&](const ReportedPoint* point) { return bytes(*point) == 0.0; }))
    figure.notes.push_back("Points without traffic have no place on a logarithmic axis and stand in the CSV");
  drawn.figures.push_back(std::move(figure));
  return true;
}

DrawnFigures draw_sent(const FigureSource& source) {
  DrawnFigures drawn;
  Measure measure{"traffic", "Sent per learner", "", "Bytes that a learner sends in a step, in the mean."};
  for (const FigureSource::Group& group : source.by_place())
    add_traffic(drawn, source, group, measure,
                [](const ReportedPoint& point) { return point.number("bytes_sent_per_learner"); });
  if (drawn.figures.empty()) drawn.missing = "nothing is sent";
  return drawn;
}

std::vector<std::string> tiers_of(const FigureSource::Group& group) {
  std::vector<std::string> tiers;
  for (const ReportedPoint* point : group.points)
    if (auto all = point->find("tier_bytes"))
      for (const auto& [tier, bytes] : all->value().members())
        if (std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) tiers.push_back(tier);
  return tiers;
}

DrawnFigures draw_tiers(const FigureSource& source) {
  DrawnFigures drawn;
  for (const FigureSource::Group& group : source.by_place())
    for (const std::string& tier : tiers_of(group)) {
      Measure measure{"tier-traffic-" + slug_of(tier), "On " + tier + " links per learner", "",
                      "Bytes of a step on all links of the tier " + tier + ", over the number of learners."};
      add_traffic(drawn, source, group, measure, [&](const ReportedPoint& point) -> std::optional<double> {
        auto tiers = point.find("tier_bytes");
        auto bytes = tiers ? tiers->find(tier) : std::nullopt;
        return bytes ? std::optional(bytes->number() / point.learners) : std::nullopt;
      });
    }
  if (drawn.figures.empty()) drawn.missing = "no bytes cross any link";
  return drawn;
}

}  // namespace

const Entry<DrawFigures> kTrafficFigure{"traffic", "bytes that a learner sends in a step", "", {}, draw_sent};
const Entry<DrawFigures> kTierTrafficFigure{
    "tier-traffic",
    "bytes of a step on the links of each tier, per learner; one figure a tier",
    "",
    {},
    draw_tiers};

}  // namespace traincast
