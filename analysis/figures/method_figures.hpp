// What most figures share: one curve a method, or, where there is one number of learners only, one row a
// method.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/figure_source.hpp"

namespace traincast {

/// A number of every point, and how it is shown.
struct Measure {
  std::string name;  ///< of the figure's files
  std::string quantity, unit;
  std::string caption;  ///< a sentence
  Scale scale = Scale::linear;
  bool most_is_best = true;
  std::function<std::optional<double>(const ReportedPoint&)> value{};
};

/// "speedup" or "speedup-star-10gb-s"
std::string file_name(const std::string& figure, const FigureSource::Group& group);

/// Rising, each once.
std::vector<std::uint32_t> learner_counts(const FigureSource::Group& group);
/// Labels in the report's order.
std::vector<std::string> methods_of(const FigureSource::Group& group);
/// The points of the largest number of learners.
std::vector<const ReportedPoint*> at_most_learners(const FigureSource::Group& group);

Axis learners_axis(const std::vector<std::uint32_t>& counts);

/// Without points: names, title, caption and axes.
Figure empty_figure(const FigureSource& source, const FigureSource::Group& group, const std::string& name,
                    const std::string& caption);

/// One curve a method over the learners. Without series where the measure is defined nowhere.
Figure by_learners(const FigureSource& source, const FigureSource::Group& group, const Measure& measure);
/// One row a method, at the most learners.
Figure by_method(const FigureSource& source, const FigureSource::Group& group, const Measure& measure);
/// The one of the two that the group's numbers of learners allow.
Figure by_learners_or_method(const FigureSource& source, const FigureSource::Group& group,
                             const Measure& measure);

/// Gives curves their styles: the same to a method in all figures where all methods have one; else, of those
/// drawn here, to dense runs first and then to those with the most of `merit`.
void give_styles(std::vector<Series>& curves, const FigureSource& source,
                 const std::function<double(const Series&)>& merit);
/// The last value of a curve.
double last_value(const Series& curve);

/// "1 learner", "64 learners"
std::string learners_text(std::uint64_t learners);

/// What depends on no network is the same at every place: then one figure stands for all.
void keep_one_where_equal(std::vector<Figure>& figures, const std::string& name);

/// A guide across the whole axis.
Series guide(std::string name, std::vector<CurvePoint> points);

/// The unit in which the largest of the numbers reads well, and the factor to it.
std::pair<std::string, double> time_unit(double largest_seconds);
std::pair<std::string, double> byte_unit(double largest_bytes);

/// Where a few bars are so long that the others could not be read, ends the axis before theirs: `ends` of the
/// bars, in the axis's unit, row by row. A bar that is cut has its end written into it.
void cut_long_bars(Figure& figure, const std::vector<double>& ends);

}  // namespace traincast
