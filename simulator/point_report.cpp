#include "simulator/point_report.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "base/units.hpp"
#include "simulator/least_traffic.hpp"

namespace traincast {

namespace {

std::string name_in(const Json& choice) {
  return choice.is_string() ? choice.text() : choice.at("name").text();
}

// Of a policy the methods, one behind the other.
std::string names_in(const Json& list) {
  std::string names;
  for (const Json& item : list.items())
    if (const Json* method = item.find("compressor")) names += (names.empty() ? "" : ",") + name_in(*method);
  return names.empty() ? std::to_string(list.items().size()) : names;
}

// "density=0.01" for what was written, where it is not the default.
std::string told_apart(std::span<const Parameter> table, const Json& resolved) {
  std::string text;
  for (const Parameter& p : table) {
    const Json& value = resolved.at(p.key);
    std::string shown = value.is_string() ? value.text() : value.dump(-1);
    if (p.fallback.data() != nullptr && shown == p.fallback) continue;
    if (p.unit == Unit::choices) shown = names_in(value);
    if (p.unit == Unit::choice) shown = name_in(value);
    text += " " + std::string(p.key) + "=" + shown;
  }
  return text;
}

std::string shown(const Json& value) { return value.is_string() ? value.text() : value.dump(-1); }

std::vector<double> each(const std::vector<Timeline>& timelines, double Timeline::*member) {
  std::vector<double> values;
  for (const Timeline& t : timelines) values.push_back(t.*member);
  return values;
}

double sum(std::span<const Bytes> bytes) {
  double total = 0;
  for (Bytes b : bytes) total += static_cast<double>(b);
  return total;
}

std::optional<double> ratio(double numerator, double denominator) {
  if (!(denominator > 0) || !std::isfinite(numerator)) return std::nullopt;
  return numerator / denominator;
}

// Of the steps for which it is defined; nothing where it is defined for none.
std::optional<Spread> spread_of_steps(const std::vector<StepRecord>& steps,
                                      const std::function<std::optional<double>(const StepRecord&)>& value) {
  std::vector<double> values;
  for (const StepRecord& step : steps)
    if (auto v = value(step)) values.push_back(*v);
  if (values.empty()) return std::nullopt;
  return spread_of(values);
}

// Against the gradients of all steps, so that one step's large gradient does not hide a growing memory.
std::optional<double> memory_ratio(const std::vector<StepRecord>& steps, std::size_t after) {
  double gradients = 0;
  for (const StepRecord& step : steps) gradients += step.gradient_square / static_cast<double>(steps.size());
  auto square = ratio(steps[after].memory_square, gradients);
  if (!square) return square;
  return std::sqrt(*square);
}

}  // namespace

namespace {

// What is part of the method, and what of the place where it runs.
bool of_method(const std::string& pointer) {
  return pointer.starts_with("/compressor") || pointer.starts_with("/error_feedback") ||
         pointer.starts_with("/training");
}

}  // namespace

std::string label_of(const Point& point) {
  const Scenario& scenario = point.scenario;
  std::string label(scenario.compressor.entry->name);
  if (label == "none")
    label += " " + scenario.compressor.parameters.word("precision");
  else
    label += told_apart(scenario.compressor.entry->parameters, scenario.compressor.parameters.resolved());
  label += told_apart(error_feedback_parameters(), scenario.resolved.at("error_feedback"));
  auto swept = [&](std::string_view key) {
    return std::ranges::any_of(point.coordinates.members(), [&](const Json::Member& coordinate) {
      return coordinate.first.starts_with(key);
    });
  };
  // Synchronous SGD goes without saying, but among other ways of training.
  std::string training;
  if (scenario.training && (scenario.training->kind != TrainingKind::sync_sgd || swept("/training"))) {
    Json name = scenario.training->name;
    const auto& entry = training_catalog().find(JsonReader(name, scenario.file));
    training = " " + scenario.training->name +
               told_apart(algorithm_parameters(entry), scenario.resolved.at("training"));
  }
  if (point.method_axes.empty()) return label + training;
  std::string names;
  for (const std::string& axis : point.method_axes)
    names += (names.empty() ? "" : " ") + point.coordinates.at(axis).text();
  if (swept("/compressor")) names += " " + label;
  return point.names_training ? names : names + training;
}

std::string place_of(const Point& point, bool with_bandwidth) {
  const Scenario& scenario = point.scenario;
  std::string place(scenario.platform.entry->name);
  // Where platforms are swept whole, two may differ in any of their keys.
  if (const Json* platform = point.coordinates.find("/platform"); platform && !platform->is_string())
    for (const auto& [key, value] : platform->members())
      if (key != "name" && key != "bandwidth") place += " " + key + "=" + shown(value);
  // A platform file has bandwidths of its own.
  if (double bandwidth = scenario.platform.parameters.number("bandwidth"); with_bandwidth && bandwidth > 0)
    place += ", " + format_bandwidth(bandwidth);
  for (const auto& [pointer, value] : point.coordinates.members()) {
    if (of_method(pointer) || std::ranges::count(point.method_axes, pointer) > 0 || pointer == "/learners" ||
        pointer == "/platform" || pointer == "/platform/name" || pointer == "/platform/bandwidth")
      continue;
    std::string name = pointer.starts_with("/platform/") ? pointer.substr(10)
                       : pointer.starts_with("/")        ? pointer.substr(1)
                                                         : pointer;
    std::replace(name.begin(), name.end(), '/', ' ');
    place += ", " + name + " " + shown(value);
  }
  return place;
}

PointReport describe_point(const Point& point, const Manifest& manifest) {
  const Scenario& scenario = point.scenario;
  PointReport report;
  report.coordinates = point.coordinates;
  report.compressor = scenario.compressor.entry->name;
  if (report.compressor == "none") report.precision = scenario.compressor.parameters.word("precision");
  report.label = label_of(point);
  report.bandwidth = scenario.platform.parameters.number("bandwidth");
  report.place = place_of(point, true);
  report.setting = place_of(point, false);
  report.learners = scenario.learners;
  report.parameters = manifest.parameters();
  report.first_step = manifest.steps.front();
  report.overlap = scenario.overlap;
  if (scenario.training) report.loop = "closed";
  report.memory_of_mean = memories_of(scenario) == Memories::mean;
  return report;
}

namespace {

std::vector<LayerBytes> layer_bytes(const ExchangeRecord& record) {
  std::vector<TensorInfo> tensors;
  for (const Bucket& bucket : record.buckets)
    tensors.insert(tensors.end(), bucket.tensors.begin(), bucket.tensors.end());
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::vector<LayerBytes> layers;
  bool known = false;
  for (const TensorInfo& tensor : tensors) {
    LayerBytes& layer = layers.emplace_back(LayerBytes{tensor.name, tensor.numel(), 0.0});
    for (const StepRecord& step : record.steps) {
      Bytes bytes = tensor.id < step.tensor_bytes.size() ? step.tensor_bytes[tensor.id] : kUnknownBytes;
      if (bytes == kUnknownBytes) layer.bytes.reset();
      if (layer.bytes) *layer.bytes += static_cast<double>(bytes);
    }
    if (layer.bytes) *layer.bytes /= record.learners * static_cast<double>(record.steps.size());
    known = known || layer.bytes;
  }
  return known ? layers : std::vector<LayerBytes>{};
}

}  // namespace

void describe_exchange(PointReport& report, const ExchangeRecord& record) {
  report.steps = record.steps.size();
  double learners = record.learners, dense = 4.0 * static_cast<double>(record.parameters);
  struct Sent {  // by all learners
    std::size_t steps = 0;
    double contributed = 0, values = 0;
  } warm_up, after;
  for (const StepRecord& step : record.steps) {
    // Where learners send every few steps only, the others are no warm-up.
    const bool sends = std::ranges::any_of(step.buckets, [](const BucketExchange& bucket) {
      return std::ranges::any_of(bucket.phases, [](const Phase& phase) { return phase.op.has_value(); });
    });
    Sent& sent = sends && step.regime < record.steps.back().regime ? warm_up : after;
    ++sent.steps;
    for (const BucketExchange& bucket : step.buckets)
      for (const Phase& phase : bucket.phases)
        if (phase.op) {
          sent.contributed += static_cast<double>(phase.op->contributed(record.learners));
          sent.values += static_cast<double>(phase.op->value_bytes);
          report.least_bytes_total += static_cast<double>(least_traffic(*phase.op, record.learners));
        }
  }
  auto in_dense = [&](const Sent& sent) { return dense * learners * static_cast<double>(sent.steps); };
  report.wire_ratio = ratio(in_dense(after), after.contributed);
  report.payload_ratio = ratio(in_dense(after), after.values);
  report.warm_up_steps = warm_up.steps;
  report.warm_up_wire_ratio = ratio(in_dense(warm_up), warm_up.contributed);
  report.layers = layer_bytes(record);

  report.relative_error = spread_of_steps(record.steps, [](const StepRecord& step) {
    auto square = ratio(step.error_square, step.mean_gradient_square);
    return square ? std::optional(std::sqrt(*square)) : std::nullopt;
  });
  report.contraction = spread_of_steps(record.steps, [](const StepRecord& step) {
    return ratio(step.residual_square, step.mean_input_square);
  });

  bool supports = std::any_of(record.steps.begin(), record.steps.end(),
                              [](const StepRecord& step) { return step.mean_support > 0; });
  if (supports) {
    BuildUp& build_up = report.build_up.emplace();
    std::vector<double> finals, independents;
    build_up.by_hop.assign(record.learners, 0);
    for (const StepRecord& step : record.steps) {
      if (!(step.mean_support > 0)) continue;
      finals.push_back(step.union_by_hop.back() / step.mean_support);
      independents.push_back(step.independent_union / step.mean_support);
      for (std::size_t h = 0; h < build_up.by_hop.size(); ++h)
        build_up.by_hop[h] += step.union_by_hop[h] / step.mean_support;
    }
    for (double& hop : build_up.by_hop) hop /= static_cast<double>(finals.size());
    build_up.final_union = spread_of(finals);
    build_up.independent = spread_of(independents).mean;
  }

  std::size_t last = record.steps.size() - 1;
  report.memory_first = memory_ratio(record.steps, 0);
  report.memory_last = memory_ratio(record.steps, last);
  auto half = memory_ratio(record.steps, last / 2);
  // A memory that has found its size moves by less than this from the middle to the end.
  constexpr double kStill = 1.05;
  if (report.memory_last && half)
    report.memory_grows =
        *report.memory_last > 0 && (record.steps.size() < 3 || *report.memory_last > kStill * *half);
}

void describe_timelines(PointReport& report, const std::vector<Timeline>& timelines) {
  report.step_seconds = spread_of(each(timelines, &Timeline::step_s));
  report.compute_seconds = spread_of(each(timelines, &Timeline::compute_s));
  report.encode_seconds = spread_of(each(timelines, &Timeline::encode_s));
  report.decode_seconds = spread_of(each(timelines, &Timeline::decode_s));
  report.communication_seconds = spread_of(each(timelines, &Timeline::communication_s));
  report.exposed_encode_seconds = spread_of(each(timelines, &Timeline::exposed_encode_s));
  report.exposed_communication_seconds = spread_of(each(timelines, &Timeline::exposed_communication_s));
  report.exposed_decode_seconds = spread_of(each(timelines, &Timeline::exposed_decode_s));
  report.wait_seconds = spread_of(each(timelines, &Timeline::wait_s));
  report.mean_wait_seconds = spread_of(each(timelines, &Timeline::mean_wait_s));
  report.slowdown_seconds = spread_of(each(timelines, &Timeline::slowdown_s));

  std::vector<double> sent;
  std::vector<TierUse> uses;
  double communication = 0;
  for (const Timeline& t : timelines) {
    if (std::find(report.engines.begin(), report.engines.end(), t.engine) == report.engines.end())
      report.engines.push_back(t.engine);
    std::span<const Bytes> by_learners = std::span(t.sent_bytes).first(report.learners);  // servers behind
    sent.push_back(sum(by_learners) / report.learners);
    report.bytes_sent_total += sum(t.sent_bytes);
    report.bytes_received_total += sum(t.received_bytes);
    for (Bytes b : by_learners)
      report.bytes_sent_per_learner_max = std::max(report.bytes_sent_per_learner_max, static_cast<double>(b));
    report.busiest_link_seconds += t.busiest_link_s / static_cast<double>(timelines.size());
    communication += t.communication_s;
    for (const TierLoad& load : t.tier_loads) {
      report.bytes_on_links_total += static_cast<double>(load.bytes);
      auto at = std::ranges::find(uses, load.tier, &TierUse::tier);
      if (at == uses.end()) at = uses.insert(at, {load.tier, 0, 0});
      at->bytes_per_second += static_cast<double>(load.busiest_bytes);  // divided by seconds below
      at->share += load.busiest_s;
    }
    for (const auto& [tier, bytes] : t.tier_bytes) {
      auto at = std::find_if(report.tier_bytes.begin(), report.tier_bytes.end(),
                             [&](const auto& known) { return known.first == tier; });
      if (at == report.tier_bytes.end()) at = report.tier_bytes.insert(at, {tier, 0});
      at->second += static_cast<double>(bytes) / static_cast<double>(timelines.size());
    }
  }
  report.bytes_sent_per_learner = spread_of(sent);
  if (!(communication > 0)) return;
  for (TierUse& use : uses) {
    use.bytes_per_second /= communication;
    use.share /= communication;
  }
  report.tier_use = std::move(uses);
}

double total_tier_bytes(const std::vector<Timeline>& timelines) {
  double total = 0;
  for (const Timeline& t : timelines)
    for (const auto& [tier, bytes] : t.tier_bytes) total += static_cast<double>(bytes);
  return total;
}

Json describe_gradients(const Scenario& scenario, const Manifest& manifest) {
  Json json;
  json["source"] = scenario.gradients.entry->name;
  json["model"] = manifest.model;
  json["parameters"] = manifest.parameters();
  json["data"] = manifest.data;
  if (manifest.values != Stored::f32) {
    json["values"]["type"] = stored_type(manifest.values).in_files;
    json["values"]["relative_error"] =
        std::isnan(manifest.rounding_error) ? Json() : Json(manifest.rounding_error);
  }
  json["optimizer"] = manifest.optimizer;
  json["seed"] = manifest.seed;
  json["learners"] = manifest.learners;
  json["steps"] = Json::list(manifest.steps);
  json["versions"] = manifest.versions;
  return json;
}

Json describe_times(const Scenario& scenario, const Manifest& manifest, bool from_file) {
  Json json;
  json["source"] = from_file ? "timings file" : scenario.timings.entry->name;
  if (scenario.accelerator) json["accelerator"] = scenario.accelerator->description;
  if (!from_file && scenario.timings.entry->make == TimingSource::measured) json["device"] = manifest.device;
  if (scenario.timings.entry->make == TimingSource::recorded)
    json["path"] = scenario.timings.parameters.word("path");
  return json;
}

}  // namespace traincast
