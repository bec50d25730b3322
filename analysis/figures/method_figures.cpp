#include "analysis/figures/method_figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace traincast {

std::string file_name(const std::string& figure, const FigureSource::Group& group) {
  return group.slug.empty() ? figure : figure + "-" + group.slug;
}

std::vector<std::uint32_t> learner_counts(const FigureSource::Group& group) {
  std::vector<std::uint32_t> counts;
  for (const ReportedPoint* point : group.points) counts.push_back(point->learners);
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

std::vector<std::string> methods_of(const FigureSource::Group& group) {
  std::vector<std::string> methods;
  for (const ReportedPoint* point : group.points)
    if (std::find(methods.begin(), methods.end(), point->label) == methods.end())
      methods.push_back(point->label);
  return methods;
}

std::vector<const ReportedPoint*> at_most_learners(const FigureSource::Group& group) {
  std::uint32_t most = learner_counts(group).back();
  std::vector<const ReportedPoint*> points;
  for (const ReportedPoint* point : group.points)
    if (point->learners == most) points.push_back(point);
  return points;
}

Axis learners_axis(const std::vector<std::uint32_t>& counts) {
  Axis axis{"Learners", "count"};
  axis.scale = Scale::log2;
  axis.ticks.assign(counts.begin(), counts.end());
  axis.low = counts.front();
  axis.high = counts.back();
  return axis;
}

Figure empty_figure(const FigureSource& source, const FigureSource::Group& group, const std::string& name,
                    const std::string& caption) {
  Figure figure;
  figure.name = file_name(name, group);
  figure.where = group.where;
  figure.caption = caption;
  figure.source = source.about;
  return figure;
}

Figure by_learners(const FigureSource& source, const FigureSource::Group& group, const Measure& measure) {
  Figure figure = empty_figure(source, group, measure.name, measure.caption);
  figure.x = learners_axis(learner_counts(group));
  figure.y = Axis{measure.quantity, measure.unit};
  figure.y.scale = measure.scale;
  for (const std::string& method : methods_of(group)) {
    Series series{method};
    bool any = false;
    for (const ReportedPoint* point : group.points)
      if (point->label == method) {
        series.points.push_back({static_cast<double>(point->learners), measure.value(*point)});
        any = any || series.points.back().y;
      }
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const CurvePoint& a, const CurvePoint& b) { return a.x < b.x; });
    if (any) figure.series.push_back(std::move(series));
  }
  give_styles(figure.series, source, [&](const Series& curve) {
    return measure.most_is_best ? last_value(curve) : -last_value(curve);
  });
  return figure;
}

Figure by_method(const FigureSource& source, const FigureSource::Group& group, const Measure& measure) {
  Figure figure = empty_figure(source, group, measure.name, measure.caption);
  std::uint32_t learners = learner_counts(group).back();
  figure.size = learners_text(learners);
  figure.x = Axis{measure.quantity, measure.unit};
  figure.x.scale = measure.scale;
  figure.y = Axis{"", ""};
  figure.y.upwards = false;
  Series dots{"", Look::dots, 1};
  for (const ReportedPoint* point : at_most_learners(group))
    if (auto value = measure.value(*point)) {
      dots.points.push_back({*value, static_cast<double>(figure.y.categories.size())});
      figure.y.categories.push_back(point->label);
    }
  if (!dots.points.empty()) figure.series.push_back(std::move(dots));
  return figure;
}

Figure by_learners_or_method(const FigureSource& source, const FigureSource::Group& group,
                             const Measure& measure) {
  return learner_counts(group).size() > 1 ? by_learners(source, group, measure)
                                          : by_method(source, group, measure);
}

double last_value(const Series& curve) {
  for (auto point = curve.points.rbegin(); point != curve.points.rend(); ++point)
    if (point->y) return *point->y;
  return 0;
}

void give_styles(std::vector<Series>& curves, const FigureSource& source,
                 const std::function<double(const Series&)>& merit) {
  if (source.methods.size() <= kMostCurves) {
    for (Series& curve : curves)
      curve.style = static_cast<unsigned>(
          std::find(source.methods.begin(), source.methods.end(), curve.name) - source.methods.begin());
    return;
  }
  std::vector<std::size_t> order(curves.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    bool dense = source.is_dense(curves[a].name);
    if (dense != source.is_dense(curves[b].name)) return dense;
    return merit(curves[a]) > merit(curves[b]);
  });
  order.resize(std::min(order.size(), kMostCurves));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) curves[order[i]].style = static_cast<unsigned>(i);
}

std::string learners_text(std::uint64_t learners) {
  return std::to_string(learners) + (learners == 1 ? " learner" : " learners");
}

void keep_one_where_equal(std::vector<Figure>& figures, const std::string& name) {
  for (const Figure& figure : figures)
    if (figure.series != figures.front().series || figure.x.categories != figures.front().x.categories ||
        figure.y.categories != figures.front().y.categories)
      return;
  if (figures.size() < 2) return;
  figures.resize(1);
  figures.front().name = name;
  figures.front().where.clear();
}

Series guide(std::string name, std::vector<CurvePoint> points) {
  Series series{std::move(name), Look::guide};
  series.points = std::move(points);
  return series;
}

namespace {

std::pair<std::string, double> unit_of(double largest,
                                       const std::vector<std::pair<std::string, double>>& units) {
  for (const auto& unit : units)
    if (largest * unit.second >= 1) return unit;
  return units.back();
}

}  // namespace

std::pair<std::string, double> time_unit(double largest_seconds) {
  return unit_of(largest_seconds, {{"s", 1}, {"ms", 1e3}, {"µs", 1e6}});
}

std::pair<std::string, double> byte_unit(double largest_bytes) {
  return unit_of(largest_bytes, {{"TB", 1e-12}, {"GB", 1e-9}, {"MB", 1e-6}, {"kB", 1e-3}, {"B", 1}});
}

void cut_long_bars(Figure& figure, const std::vector<double>& ends) {
  constexpr double kReadable = 6;  // times the middle bar
  std::vector<double> sorted = ends;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() || sorted.back() <= kReadable * sorted[(sorted.size() - 1) / 2]) return;
  const double whole = kReadable * sorted[(sorted.size() - 1) / 2];
  const double longest = *std::prev(std::upper_bound(sorted.begin(), sorted.end(), whole));
  constexpr double kBeyond = 1.25, kRoom = 0.2;
  figure.x.high = kBeyond * longest;
  for (std::size_t row = 0; row < ends.size(); ++row) {
    if (ends[row] <= *figure.x.high) continue;
    Box* chosen = nullptr;
    double most = 0;
    for (Series& series : figure.series)
      for (Box& box : series.boxes) {
        if (std::fabs((box.bottom + box.top) / 2 - static_cast<double>(row)) > 0.5) continue;
        const bool cut = box.right > *figure.x.high;
        const double shown = std::min(box.right, *figure.x.high) - box.left;
        // What is cut says so, if there is room in it.
        const double merit = cut && shown > kRoom * *figure.x.high ? 2 * *figure.x.high : shown;
        if (merit <= most) continue;
        most = merit;
        chosen = &box;
      }
    char text[32];
    std::snprintf(text, sizeof text, "to %.3g ", ends[row]);
    if (chosen) chosen->text = text + figure.x.unit;
  }
  figure.notes.push_back("Bars that leave the axis end at the time written in them");
}

}  // namespace traincast
