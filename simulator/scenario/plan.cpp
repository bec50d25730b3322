// From a scenario file to its points: overrides, the sweep's axes, and places restated where a sweep put a
// value.
#include <algorithm>

#include "base/error.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/scenario/scenario_reader.hpp"

namespace traincast {

namespace {

struct Axis {
  std::string pointer;
  std::vector<JsonReader> values;
};

std::vector<Axis> read_axes(const JsonReader& sweep) {
  sweep.only_object();
  std::vector<Axis> axes;
  for (const auto& [pointer, values] : sweep.value().members()) {
    JsonReader at = sweep.at(pointer);
    std::vector<std::string> tokens;
    try {
      tokens = pointer_tokens(pointer);
    } catch (const InputError& error) {
      at.refuse(error.what());
    }
    std::vector<std::string> known = sweepable_keys();
    if (tokens.empty() || std::find(known.begin(), known.end(), tokens[0]) == known.end())
      at.refuse("cannot be swept" + known_names(tokens.empty() ? "" : tokens[0], known));
    if (at.items().empty()) at.refuse("has no values");
    for (const Axis& other : axes)
      if ((pointer + "/").starts_with(other.pointer + "/") ||
          (other.pointer + "/").starts_with(pointer + "/"))
        at.refuse("overlaps with the axis '" + other.pointer + "'");
    axes.push_back({pointer, at.items()});
  }
  return axes;
}

// The place in the file of a value that a sweep put into the point.
[[noreturn]] void restate(const PlacedError& error, const std::vector<Axis>& axes,
                          const std::vector<std::size_t>& at) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if ((error.pointer + "/").starts_with(axes[i].pointer + "/"))
      throw PlacedError(error.file,
                        axes[i].values[at[i]].pointer() + error.pointer.substr(axes[i].pointer.size()),
                        error.why);
  std::string where;
  for (std::size_t i = 0; i < axes.size(); ++i)
    where += (i ? ", " : "") + axes[i].pointer + " = " + axes[i].values[at[i]].shown();
  throw PlacedError(error.file, error.pointer, error.why + (where.empty() ? "" : " (at " + where + ")"));
}

void apply_set(Json& document, const std::string& set) {
  auto equals = set.find('=');
  if (equals == set.npos || set.empty() || set.front() != '/')
    throw InputError("--set " + set + ": must be POINTER=VALUE, as in --set /platform/bandwidth=25Gbps");
  std::string pointer = set.substr(0, equals), text = set.substr(equals + 1);
  if (const Json* sweep = document.find("sweep"); sweep && sweep->is_object())
    for (const auto& [axis, values] : sweep->members())
      if ((pointer + "/").starts_with(axis + "/") || (axis + "/").starts_with(pointer + "/"))
        throw InputError("--set " + set + ": '" + axis + "' is swept; set " + pointer_join("/sweep", axis) +
                         " instead");
  Json value;
  try {
    value = Json::parse(text, "--set");
  } catch (const InputError&) {
    value = text;
  }
  set_at_pointer(document, pointer, std::move(value), "--set " + set);
}

}  // namespace

Plan read_plan(const std::string& file, std::span<const std::string> sets) {
  return make_plan(Json::read_file(file), file, sets);
}

Plan make_plan(Json document, const std::string& file, std::span<const std::string> sets) {
  JsonReader(document, file).only_object();
  for (const std::string& set : sets) apply_set(document, set);
  Plan plan;
  plan.file = file;
  JsonReader root(document, file);
  std::vector<Axis> axes;
  if (auto sweep = root.find("sweep")) axes = read_axes(*sweep);

  std::vector<std::size_t> at(axes.size(), 0);
  for (bool more = true; more;) {
    Json point = document;
    Json coordinates{Json::Object{}};
    for (std::size_t i = 0; i < axes.size(); ++i) {
      try {
        set_at_pointer(point, axes[i].pointer, axes[i].values[at[i]].value(), "the axis");
      } catch (const InputError& error) {
        axes[i].values[at[i]].refuse(error.what());
      }
      coordinates[axes[i].pointer] = axes[i].values[at[i]].value();
    }
    try {
      plan.points.push_back({std::move(coordinates), read_scenario(point, file)});
    } catch (const PlacedError& error) {
      restate(error, axes, at);
    }
    more = false;
    for (std::size_t i = axes.size(); i-- > 0 && !more;) {  // the last axis turns fastest
      more = ++at[i] < axes[i].values.size();
      if (!more) at[i] = 0;
    }
  }
  plan.name = plan.points.front().scenario.name;
  plan.resolved = plan.points.front().scenario.resolved;
  if (!axes.empty()) {
    for (const Axis& axis : axes) {  // a swept place is echoed by its axis alone
      Json values = Json::Array{};
      for (std::size_t i = 0; i < axis.values.size(); ++i) values.push_back(axis.values[i].value());
      plan.resolved["sweep"][axis.pointer] = values;
    }
  }
  return plan;
}

}  // namespace traincast
