// From a scenario file to its points: overrides, the sweep's axes, and places restated where a sweep put a
// value.
#include <algorithm>

#include "base/error.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/scenario/scenario_reader.hpp"

namespace traincast {

namespace {

/// Where a value goes, and the value in the file.
struct Setting {
  std::string pointer;
  JsonReader value;
};

/// Values of one place, or variants with names, which set several places at once.
struct Axis {
  std::string name;  // of one place: its pointer
  bool of_variants = false;
  struct Value {
    Json coordinate;
    std::vector<Setting> settings;
  };
  std::vector<Value> values;

  bool sets(std::string_view key) const {
    return std::ranges::any_of(values, [&](const Value& value) {
      return std::ranges::any_of(value.settings, [&](const Setting& setting) {
        return (setting.pointer + "/").starts_with("/" + std::string(key) + "/");
      });
    });
  }
};

bool overlap(const std::string& a, const std::string& b) {
  return (a + "/").starts_with(b + "/") || (b + "/").starts_with(a + "/");
}

void only_sweepable(const JsonReader& at, const std::string& pointer) {
  std::vector<std::string> tokens;
  try {
    tokens = pointer_tokens(pointer);
  } catch (const InputError& error) {
    at.refuse(error.what());
  }
  std::vector<std::string> known = sweepable_keys();
  if (tokens.empty() || std::find(known.begin(), known.end(), tokens[0]) == known.end())
    at.refuse("cannot be swept" + known_names(tokens.empty() ? "" : tokens[0], known));
}

void refuse_overlaps(const JsonReader& at, const std::string& pointer, const std::vector<Axis>& others) {
  for (const Axis& axis : others)
    for (const Axis::Value& value : axis.values)
      for (const Setting& setting : value.settings)
        if (overlap(pointer, setting.pointer)) at.refuse("overlaps with the axis '" + axis.name + "'");
}

Axis read_variants(const std::string& name, const JsonReader& at, const std::vector<Axis>& others) {
  Axis axis{name, true, {}};
  for (const auto& [variant, settings] : at.value().members()) {
    JsonReader of_variant = at.at(variant);
    if (variant.empty()) of_variant.refuse("a variant needs a name, for it is the point's label");
    of_variant.only_object();
    Axis::Value& value = axis.values.emplace_back(Axis::Value{variant, {}});
    for (const auto& [pointer, unused] : settings.members()) {
      JsonReader setting = of_variant.at(pointer);
      only_sweepable(setting, pointer);
      refuse_overlaps(setting, pointer, others);
      for (const Setting& other : value.settings)
        if (overlap(pointer, other.pointer)) setting.refuse("overlaps with '" + other.pointer + "'");
      value.settings.push_back({pointer, setting});
    }
  }
  return axis;
}

std::vector<Axis> read_axes(const JsonReader& sweep) {
  sweep.only_object();
  std::vector<Axis> axes;
  for (const auto& [name, values] : sweep.value().members()) {
    JsonReader at = sweep.at(name);
    if (values.is_object() && !name.starts_with('/')) {
      axes.push_back(read_variants(name, at, axes));
    } else {
      only_sweepable(at, name);
      Axis axis{name, false, {}};
      for (const JsonReader& value : at.items()) axis.values.push_back({value.value(), {{name, value}}});
      refuse_overlaps(at, name, axes);
      axes.push_back(std::move(axis));
    }
    if (axes.back().values.empty()) at.refuse("has no values");
  }
  return axes;
}

// The place in the file of a value that a sweep put into the point.
[[noreturn]] void restate(const PlacedError& error, const std::vector<Axis>& axes,
                          const std::vector<std::size_t>& at) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (const Setting& setting : axes[i].values[at[i]].settings)
      if ((error.pointer + "/").starts_with(setting.pointer + "/"))
        throw PlacedError(error.file, setting.value.pointer() + error.pointer.substr(setting.pointer.size()),
                          error.why);
  std::string where;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis::Value& value = axes[i].values[at[i]];
    where += (i ? ", " : "") + axes[i].name + " = " +
             (axes[i].of_variants ? value.coordinate.text() : value.settings.front().value.shown());
  }
  throw PlacedError(error.file, error.pointer, error.why + (where.empty() ? "" : " (at " + where + ")"));
}

void apply_set(Json& document, const std::string& set) {
  auto equals = set.find('=');
  if (equals == set.npos || set.empty() || set.front() != '/')
    throw InputError("--set " + set + ": must be POINTER=VALUE, as in --set /platform/bandwidth=25Gbps");
  std::string pointer = set.substr(0, equals), text = set.substr(equals + 1);
  auto refuse = [&](const std::string& swept, const std::string& axis) {
    if (overlap(pointer, swept))
      throw InputError("--set " + set + ": '" + swept + "' is swept; set " + pointer_join("/sweep", axis) +
                       " instead");
  };
  if (const Json* sweep = document.find("sweep"); sweep && sweep->is_object())
    for (const auto& [axis, values] : sweep->members()) {
      if (axis.starts_with('/')) refuse(axis, axis);
      if (axis.starts_with('/') || !values.is_object()) continue;
      for (const auto& [variant, settings] : values.members())
        if (settings.is_object())
          for (const auto& [swept, unused] : settings.members()) refuse(swept, axis);
    }
  Json value;
  try {
    value = Json::parse(text, "--set");
  } catch (const InputError&) {
    value = text;
  }
  set_at_pointer(document, pointer, std::move(value), "--set " + set);
}

// Of keys that variants set in part, or not all of them, the echo says what the file says: the first point's
// would pass on to the others.
void leave_as_written(Json& resolved, const Json& document, const Axis& axis) {
  auto restore = [&](std::string_view key) {
    if (const Json* written = document.find(key))
      resolved[key] = *written;
    else
      std::erase_if(resolved.members(), [&](const Json::Member& member) { return member.first == key; });
  };
  for (const std::string& key : sweepable_keys())
    if (axis.sets(key)) restore(key);
  if (axis.sets("training")) restore("steps");  // which its epochs make
  if (axis.sets("accelerator")) restore("timings");
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
    std::vector<std::string> method_axes;
    bool names_training = false;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const Axis::Value& value = axes[i].values[at[i]];
      for (const Setting& setting : value.settings) {
        try {
          set_at_pointer(point, setting.pointer, setting.value.value(), "the axis");
        } catch (const InputError& error) {
          setting.value.refuse(error.what());
        }
      }
      coordinates[axes[i].name] = value.coordinate;
      if (axes[i].of_variants &&
          (axes[i].sets("compressor") || axes[i].sets("error_feedback") || axes[i].sets("training")))
        method_axes.push_back(axes[i].name);
      names_training = names_training || (axes[i].of_variants && axes[i].sets("training"));
    }
    try {
      plan.points.push_back(
          {std::move(coordinates), read_scenario(point, file), std::move(method_axes), names_training});
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
  for (const Axis& axis : axes) {  // a swept place is echoed by its axis alone
    if (axis.of_variants) leave_as_written(plan.resolved, document, axis);
    plan.resolved["sweep"][axis.name] = document.at("sweep").at(axis.name);
  }
  return plan;
}

}  // namespace traincast
