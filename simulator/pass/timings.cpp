#include "simulator/pass/timings.hpp"

#include <array>
#include <cmath>

#include "base/error.hpp"

namespace traincast {

namespace {

constexpr std::array<const char*, 4> kPhaseKeys{"encode", "decode", "encode_one", "decode_one"};

double seconds_of(const JsonReader& at) {
  double seconds = at.number();
  if (!(seconds >= 0) || !std::isfinite(seconds))
    at.refuse("must be seconds, zero or more, got " + at.shown());
  return seconds;
}

using Keys = std::vector<std::string>;
const Keys kComputeKey{"gradients", "workload", "seed"};
const Keys kCodecKey{"gradients",  "workload",       "seed",    "steps",
                     "compressor", "error_feedback", "buckets", "learners"};

Keys with_seconds(Keys keys) {
  keys.emplace_back("seconds");
  return keys;
}

// What the times are of; a trace has no workload key.
Json key_of(const Json& from, const Keys& names) {
  Json key;
  for (const std::string& name : names) {
    const Json* value = from.find(name);
    key[name] = value ? *value : Json();
  }
  return key;
}

Json json_of(const CodecSeconds::Buckets& buckets) {
  Json all = Json::Array{};
  for (const auto& bucket : buckets) {
    Json phases = Json::Array{};
    for (const CodecSeconds::PhaseTime& phase : bucket) {
      Json times;
      times[kPhaseKeys[0]] = phase.each_s[0];
      times[kPhaseKeys[1]] = phase.each_s[1];
      times[kPhaseKeys[2]] = phase.only_s[0];
      times[kPhaseKeys[3]] = phase.only_s[1];
      phases.push_back(times);
    }
    all.push_back(phases);
  }
  return all;
}

CodecSeconds::Buckets buckets_of(const JsonReader& at) {
  CodecSeconds::Buckets buckets;
  for (const JsonReader& bucket : at.items()) {
    auto& phases = buckets.emplace_back();
    for (const JsonReader& phase : bucket.items()) {
      phase.only(Keys(kPhaseKeys.begin(), kPhaseKeys.end()));
      auto& times = phases.emplace_back();
      times.each_s[0] = seconds_of(phase.at(kPhaseKeys[0]));
      times.each_s[1] = seconds_of(phase.at(kPhaseKeys[1]));
      times.only_s[0] = seconds_of(phase.at(kPhaseKeys[2]));
      times.only_s[1] = seconds_of(phase.at(kPhaseKeys[3]));
    }
  }
  return buckets;
}

template <class Measured>
auto* find_measured(const std::vector<Measured>& all, const Json& key) {
  for (const Measured& one : all)
    if (one.key == key) return &one.seconds;
  return static_cast<decltype(&all.front().seconds)>(nullptr);
}

}  // namespace

const ComputeTimeline* Timings::compute(const Scenario& scenario) const {
  return find_measured(computes_, key_of(scenario.resolved, kComputeKey));
}

void Timings::add(const Scenario& scenario, ComputeTimeline timeline) {
  computes_.push_back({key_of(scenario.resolved, kComputeKey), std::move(timeline)});
}

const CodecSeconds* Timings::codec(const Scenario& scenario) const {
  return find_measured(codecs_, key_of(scenario.resolved, kCodecKey));
}

void Timings::add(const Scenario& scenario, CodecSeconds seconds) {
  codecs_.push_back({key_of(scenario.resolved, kCodecKey), std::move(seconds)});
}

Json Timings::to_json() const {
  Json json;
  json["format"] = 1;
  json["compute"] = Json::Array{};
  for (const auto& measured : computes_) {
    Json one = measured.key;
    one["seconds"]["forward"] = measured.seconds.forward_s;
    one["seconds"]["ready"] = Json::list(measured.seconds.ready_s);
    one["seconds"]["optimizer"] = measured.seconds.optimizer_s;
    json["compute"].push_back(one);
  }
  json["codec"] = Json::Array{};
  for (const auto& measured : codecs_) {
    Json one = measured.key, regimes = Json::Array{};
    for (const CodecSeconds::Buckets& buckets : measured.seconds.regimes) regimes.push_back(json_of(buckets));
    one["seconds"] = regimes.items().front();
    // Of warm-ups: what comes after.
    if (regimes.items().size() > 1) {
      regimes.items().erase(regimes.items().begin());
      one["later"] = regimes;
    }
    json["codec"].push_back(one);
  }
  return json;
}

Timings Timings::read_file(const std::string& path) {
  Json json = Json::read_file(path);
  JsonReader root(json, path);
  root.only(Keys{"format", "compute", "codec"});
  if (root.at("format").integer() != 1)
    root.at("format").refuse("only format 1 is known, got " + root.at("format").shown());
  Timings timings;
  for (const JsonReader& compute : root.at("compute").items()) {
    compute.only(with_seconds(kComputeKey));
    JsonReader seconds = compute.at("seconds");
    seconds.only(Keys{"forward", "ready", "optimizer"});
    ComputeTimeline timeline;
    timeline.forward_s = seconds_of(seconds.at("forward"));
    timeline.optimizer_s = seconds_of(seconds.at("optimizer"));
    for (const JsonReader& ready : seconds.at("ready").items()) timeline.ready_s.push_back(seconds_of(ready));
    timings.computes_.push_back({key_of(compute.value(), kComputeKey), std::move(timeline)});
  }
  for (const JsonReader& codec : root.at("codec").items()) {
    Keys keys = with_seconds(kCodecKey);
    keys.emplace_back("later");
    codec.only(keys);
    CodecSeconds seconds;
    seconds.regimes.push_back(buckets_of(codec.at("seconds")));
    if (auto later = codec.find("later"))
      for (const JsonReader& regime : later->items()) seconds.regimes.push_back(buckets_of(regime));
    timings.codecs_.push_back({key_of(codec.value(), kCodecKey), std::move(seconds)});
  }
  return timings;
}

ComputeTimeline given_compute(const Scenario& scenario, const std::vector<TensorInfo>& layers) {
  const Parameters& given = scenario.timings.parameters;
  ComputeTimeline timeline;
  timeline.forward_s = given.number("forward");
  timeline.optimizer_s = given.number("optimizer");
  double total = 0, done = 0;
  for (const TensorInfo& layer : layers) total += static_cast<double>(layer.numel());
  timeline.ready_s.resize(layers.size());
  for (std::size_t i = layers.size(); i-- > 0;) {
    done += static_cast<double>(layers[i].numel());
    timeline.ready_s[i] = total > 0 ? given.number("backward") * (done / total) : given.number("backward");
  }
  return timeline;
}

namespace {

/// Of one step.
CodecSeconds::Buckets given_codec(const Scenario& scenario, const ExchangeRecord& record,
                                  const std::vector<BucketExchange>& buckets) {
  const std::string method(scenario.compressor.entry->name);
  CodecSeconds::Buckets result;
  for (const BucketExchange& bucket : buckets) result.emplace_back(bucket.phases.size());
  for (Stage stage : {Stage::encode, Stage::decode}) {
    double total = 0;  // of "none", which needs no times; the scenario has them of all others
    for (const auto& [name, seconds] : scenario.timings.parameters.durations(to_string(stage)))
      if (name == method) total = seconds;
    if (total <= 0) continue;
    auto weight = [&](const Phase& phase, bool of_one) {
      double sum = 0;
      for (const Work& work : phase.work)
        if (work.stage == stage && work.only.has_value() == of_one) sum += work.weight();
      return sum;
    };
    double all = 0;
    for (const BucketExchange& bucket : buckets)
      for (const Phase& phase : bucket.phases) all += weight(phase, false) + weight(phase, true);
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      const std::vector<Phase>& phases = buckets[b].phases;
      for (std::size_t p = 0; all > 0 && p < phases.size(); ++p) {
        auto& time = result[b][p];
        time.each_s[static_cast<std::size_t>(stage)] = total * weight(phases[p], false) / all;
        time.only_s[static_cast<std::size_t>(stage)] = total * weight(phases[p], true) / all;
      }
      // A method that states no work of this stage is charged by bucket: before its first collective, or
      // after its last.
      if (all == 0 && !phases.empty()) {
        double share =
            static_cast<double>(record.buckets[b].numel()) / static_cast<double>(record.parameters);
        auto& time = stage == Stage::encode ? result[b].front() : result[b].back();
        time.each_s[static_cast<std::size_t>(stage)] = total * share;
      }
    }
  }
  return result;
}

}  // namespace

CodecSeconds given_codec(const Scenario& scenario, const ExchangeRecord& record) {
  CodecSeconds result;
  for (const StepRecord& step : record.steps)
    if (step.regime == result.regimes.size())
      result.regimes.push_back(given_codec(scenario, record, step.buckets));
  return result;
}

}  // namespace traincast
