#include "analysis/comparison.hpp"

#include <algorithm>
#include <map>

namespace traincast {

namespace {

const Json* at_pointer(const Json& root, const std::string& pointer) {
  const Json* place = &root;
  for (const std::string& token : pointer_tokens(pointer)) {
    place = place->find(token);
    if (!place) return nullptr;
  }
  return place;
}

bool within(const std::string& pointer, const std::string& axis) {
  return (pointer + "/").starts_with(axis + "/");
}

std::vector<std::string> axes_of(const std::vector<ReportNumbers>& reports) {
  std::vector<std::string> axes;
  for (const ReportNumbers& report : reports)
    for (const PointNumbers& point : report.points)
      for (const auto& [axis, value] : point.coordinates.members())
        if (std::ranges::find(axes, axis) == axes.end()) axes.push_back(axis);
  std::ranges::sort(axes);
  return axes;
}

// What tells the point from others on all axes; a point that occurs again is another.
std::string identity_on(const std::vector<std::string>& axes, const ReportNumbers& report,
                        const PointNumbers& point, std::map<std::string, int>& seen) {
  std::string identity = point.compressor + " " + std::to_string(point.learners);
  for (const std::string& axis : axes) {
    const Json* value = point.coordinates.find(axis);
    if (!value && axis.starts_with('/')) value = at_pointer(report.scenario, axis);
    identity += "\n" + (value ? sorted(*value).dump(-1) : "");
  }
  return identity + "\n" + std::to_string(++seen[identity]);
}

// Leaves of an object by pointer; lists are leaves.
void flatten(const Json& value, const std::string& pointer, std::vector<std::pair<std::string, Json>>& into) {
  if (!value.is_object() || value.members().empty()) {
    into.emplace_back(pointer, value);
    return;
  }
  for (const auto& [key, member] : value.members()) flatten(member, pointer_join(pointer, key), into);
}

std::vector<ScenarioChange> changes_of(const std::vector<ReportNumbers>& reports,
                                       const std::vector<std::string>& axes) {
  std::vector<ScenarioChange> all;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::vector<std::pair<std::string, Json>> leaves;
    flatten(reports[i].traincast, "/traincast", leaves);
    flatten(reports[i].scenario, "", leaves);
    for (const auto& [pointer, value] : leaves) {
      // A swept place holds the first point's value, which says nothing; the axis stands under /sweep.
      if (std::ranges::any_of(axes, [&](const std::string& axis) { return within(pointer, axis); })) continue;
      auto known = std::ranges::find(all, pointer, &ScenarioChange::pointer);
      if (known == all.end()) known = all.insert(all.end(), {pointer, std::vector<Json>(reports.size())});
      known->values[i] = value;
    }
  }
  std::erase_if(all, [](const ScenarioChange& change) {
    return std::ranges::all_of(change.values, [&](const Json& value) { return value == change.values[0]; });
  });
  return all;
}

}  // namespace

bool ComparedPoint::shared() const { return std::ranges::count(in, true) > 1; }

Comparison compare(const std::vector<ReportNumbers>& reports) {
  Comparison result;
  for (const ReportNumbers& report : reports) result.reports.push_back(report.file);
  std::vector<std::string> axes = axes_of(reports);
  result.scenario = changes_of(reports, axes);

  std::map<std::string, std::vector<const PointNumbers*>> same;
  std::vector<std::string> order;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::map<std::string, int> seen;
    for (const PointNumbers& point : reports[i].points) {
      std::string identity = identity_on(axes, reports[i], point, seen);
      auto [at, fresh] = same.try_emplace(identity, reports.size(), nullptr);
      if (fresh) order.push_back(identity);
      at->second[i] = &point;
    }
  }
  for (const std::string& identity : order) {
    const auto& points = same.at(identity);
    ComparedPoint& compared = result.points.emplace_back();
    std::vector<std::string> keys;
    for (const PointNumbers* point : points) {
      compared.in.push_back(point != nullptr);
      if (!point) continue;
      if (compared.name.empty()) compared.name = point->name;
      for (const auto& [key, value] : point->numbers)
        if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
    for (const std::string& key : keys) {
      ComparedNumber number{key, {}};
      std::optional<std::optional<double>> first;
      bool moved = false;
      for (const PointNumbers* point : points) {
        const std::optional<double>* value = point ? point->find(key) : nullptr;
        number.values.push_back(value ? *value : std::nullopt);
        if (!point) continue;
        if (!first) first = number.values.back();
        moved = moved || *first != number.values.back();
      }
      if (moved) compared.moved.push_back(std::move(number));
    }
  }
  return result;
}

}  // namespace traincast
