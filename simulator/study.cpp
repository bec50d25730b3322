#include "simulator/study.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/machine.hpp"
#include "base/sha256.hpp"
#include "base/units.hpp"
#include "simulator/assemble.hpp"
#include "simulator/collectives/sparse_sizes.hpp"
#include "simulator/pass/accelerator_times.hpp"
#include "simulator/pass/shape_exchange.hpp"
#include "simulator/pass/streamed_pass.hpp"
#include "workloads/timeline/recorded_timeline.hpp"

namespace traincast {

namespace {

constexpr const char* kDdpBuckets = "25MiB";

std::string method_key(const Scenario& scenario) {
  Json key;
  for (const char* name : {"compressor", "error_feedback", "buckets", "learners", "steps"})
    key[name] = scenario.resolved.at(name);
  if (scenario.training)
    for (const char* name : {"training", "seed"}) key[name] = scenario.resolved.at(name);
  return key.dump(-1);
}

bool same_shape(const CodecSeconds& codec, const std::vector<StepRecord>& steps) {
  return std::all_of(steps.begin(), steps.end(), [&](const StepRecord& step) {
    if (step.regime >= codec.regimes.size()) return false;
    const CodecSeconds::Buckets& times = codec.regimes[step.regime];
    return std::equal(times.begin(), times.end(), step.buckets.begin(), step.buckets.end(),
                      [](const auto& phases, const BucketExchange& bucket) {
                        return phases.size() == bucket.phases.size();
                      });
  });
}

}  // namespace

Study::Study(Gradients gradients, const std::string& scenario_file, const Scenario& any,
             const RunOptions& options, const std::optional<Timings>& given, Timings& measured,
             Progress& progress)
    : gradients_(std::move(gradients)),
      options_(options),
      given_(given),
      measured_(measured),
      progress_(progress),
      compute_(compute_timeline(scenario_file, any)),
      unions_(std::make_shared<KnownUnions>()),
      shapes_(options.shapes ? options.shapes : std::make_shared<ShapePhases>()) {}

ComputeTimeline Study::compute_timeline(const std::string& scenario_file, const Scenario& scenario) {
  ComputeTimeline timeline;
  if (given_) {
    const ComputeTimeline* read = given_->compute(scenario);
    if (!read)
      throw InputError(*options_.timings_file + ": has no compute times of this workload (" +
                       scenario.resolved.at("gradients").dump(-1) + "); leave out --timings to measure them");
    timeline = *read;
  } else if (scenario.timings.entry->make == TimingSource::given) {
    timeline = given_compute(scenario, manifest().layers);
  } else if (scenario.timings.entry->make == TimingSource::recorded) {
    timeline = recorded_timeline(scenario_file, scenario);
  } else if (scenario.timings.entry->make == TimingSource::accelerator) {
    timeline = described_timeline(scenario_file, scenario);
  } else {
    timeline = manifest().timeline;
    if (scenario.gradients.entry->make == GradientSourceKind::trace && manifest().device != processor_name())
      throw PlacedError(scenario_file, "/timings",
                        "the trace was timed on '" + manifest().device +
                            "', and codecs would be measured on '" + processor_name() +
                            "'; compute and codec times come from one source: give both, or a timings file");
    measured_.add(scenario, timeline);
  }
  if (timeline.ready_s.size() != manifest().layers.size())
    throw InputError("timings of " + std::to_string(timeline.ready_s.size()) +
                     " tensors do not fit the model's " + std::to_string(manifest().layers.size()));
  return timeline;
}

// By an accelerator's description as by any other batch; times that are given or recorded are those of the
// workload's batch, and passes take as many times as long.
const ComputeTimeline& Study::compute(const Scenario& scenario, std::uint32_t batches) {
  if (batches == 1) return compute_;
  auto [at, fresh] = grown_.try_emplace(batches, compute_);
  ComputeTimeline& timeline = at->second;
  if (!fresh) return timeline;
  if (scenario.timings.entry->make == TimingSource::accelerator)
    return timeline = accelerator_compute(*scenario.accelerator, manifest().layers, gradients_.costs(),
                                          batches * gradients_.batch());
  timeline.forward_s *= batches;
  for (double& ready : timeline.ready_s) ready *= batches;
  return timeline;
}

ComputeTimeline Study::recorded_timeline(const std::string& scenario_file, const Scenario& scenario) const {
  RecordedTimeline recorded = read_recorded_timeline(
      (std::filesystem::path(scenario_file).parent_path() / scenario.timings.parameters.word("path"))
          .string());
  if (scenario.accelerator) {
    const Json& codecs = scenario.accelerator->description;
    const Json* device = codecs.find("device");
    if (recorded.device != codecs.at("name").text() && !(device && device->text() == recorded.device))
      throw PlacedError(scenario_file, "/timings",
                        "the timeline was recorded on '" + recorded.device + "', and codecs would run on '" +
                            (device ? device : &codecs.at("name"))->text() +
                            "'; compute and codec times come from one source");
  }
  try {
    return timeline_of(recorded, manifest().layers);
  } catch (const InputError& error) {
    throw PlacedError(scenario_file, "/timings/path", error.what());
  }
}

ComputeTimeline Study::described_timeline(const std::string& scenario_file, const Scenario& scenario) const {
  std::vector<LayerCost> costs = gradients_.costs();
  if (costs.empty() || gradients_.batch() == 0)
    throw PlacedError(scenario_file, "/accelerator",
                      "an accelerator needs the FLOPs of each layer and the mini-batch, and those of '" +
                          manifest().model + "' are not known; give times, or take the shapes of a model");
  return accelerator_compute(*scenario.accelerator, manifest().layers, costs, gradients_.batch());
}

CodecSeconds Study::codec_seconds(const Scenario& scenario, const ExchangeRecord& record) {
  if (given_) {
    const CodecSeconds* read = given_->codec(scenario);
    if (!read)
      throw InputError(*options_.timings_file + ": has no times of " +
                       scenario.resolved.at("compressor").dump(-1) + " at " +
                       std::to_string(scenario.learners) + " learners; leave out --timings to measure them");
    if (!same_shape(*read, record.steps))
      throw InputError(*options_.timings_file + ": times of " + scenario.resolved.at("compressor").dump(-1) +
                       " have other buckets or phases than this run");
    return *read;
  }
  if (scenario.accelerator) return accelerator_codec(scenario, record);
  if (scenario.timings.entry->make != TimingSource::measured) return given_codec(scenario, record);
  CodecSeconds seconds = measure_codec(scenario, *gradients_.trace());
  measured_.add(scenario, seconds);
  return seconds;
}

// "topk-64-3f9a1c20.exchange": method, learners and a digest of all that it depends on.
void Study::keep(const Scenario& scenario, const ExchangeRecord& record) const {
  RecordedExchange exchange;
  exchange.method = exchange_key(scenario);
  Json gradients = scenario.resolved.at("gradients");
  if (!manifest().workload.is_null()) gradients["workload"] = manifest().workload;
  if (const Json* batch = manifest().data.find("batch")) gradients["batch"] = *batch;
  exchange.gradients = gradients.dump(-1);
  exchange.model = manifest().model;
  exchange.seed = manifest().seed;
  exchange.steps.assign(manifest().steps.begin(),
                        manifest().steps.begin() + static_cast<std::ptrdiff_t>(record.steps.size()));
  exchange.record = record;
  // Of all that it depends on; live and streamed gradients are the same.
  std::erase_if(gradients.members(), [](const Json::Member& member) { return member.first == "name"; });
  const std::string of = exchange.method + " " + gradients.dump(-1) + " " + std::to_string(exchange.seed) +
                         " " + std::to_string(exchange.steps.size());
  constexpr std::size_t kShown = 8;
  std::string name = std::string(scenario.compressor.entry->name) + "-" + std::to_string(scenario.learners) +
                     "-" + sha256_hex(of).substr(0, kShown) + ".exchange";
  write_exchange((options_.record / name).string(), exchange);
}

void Study::compress(const std::vector<Scenario>& scenarios) {
  if (!gradients_.trace() && !gradients_.stream())
    return;  // what a method sends is then quickly found, once it is asked for
  std::map<std::string, const Scenario*> by_key;
  std::vector<const Scenario*> fresh;
  for (const Scenario& scenario : scenarios)
    if (std::string key = method_key(scenario);
        !methods_.contains(key) && by_key.try_emplace(key, &scenario).second)
      fresh.push_back(&scenario);
  auto say = [&](std::size_t done) {
    progress_.say("compressing: " + std::to_string(done) + " of " + std::to_string(fresh.size()) +
                  " methods and numbers of learners …");
  };
  std::vector<ExchangeRecord> records;
  if (gradients_.stream()) {
    records = compress_stream(fresh);
  } else {
    say(0);
    expected_memory_ = std::max(
        expected_memory_, peak_memory() + compression_memory(fresh, *gradients_.trace(), options_.threads));
    records = run_compressions(fresh, *gradients_.trace(), options_.threads, say);
  }
  for (std::size_t i = 0; i < fresh.size(); ++i) add_method(*fresh[i], std::move(records[i]));
}

std::vector<ExchangeRecord> Study::compress_stream(std::span<const Scenario* const> fresh) {
  if (fresh.empty()) return {};
  bool announced = false;
  const double before = peak_memory();
  return run_streamed_compressions(
      fresh, *gradients_.stream(), options_.threads, kShareOfRoom * available_memory(),
      [&](const StreamedStep& at) {
        if (!announced && at.rounds > 1)
          progress_.announce(
              "gradients of all tensors at once do not fit into the memory: the training is gone "
              "through " +
              std::to_string(at.rounds) + " times, each time for some of them");
        announced = true;
        expected_memory_ = std::max(expected_memory_, before + at.bytes);
        progress_.say("training and compressing: step " + std::to_string(at.step + 1) + " of " +
                      std::to_string(at.steps) +
                      (at.rounds == 1
                           ? ""
                           : ", round " + std::to_string(at.round + 1) + " of " + std::to_string(at.rounds)) +
                      " …");
      });
}

const Study::Method& Study::add_method(const Scenario& scenario, ExchangeRecord record) {
  Method& added = methods_[method_key(scenario)];
  added.record = std::move(record);
  if (!options_.record.empty() && has_gradients(scenario.gradients.entry->make) && !scenario.training)
    keep(scenario, added.record);
  added.codec = codec_seconds(scenario, added.record);
  return added;
}

TrainingRun Study::trained(const Scenario& scenario) {
  TrainingPlace place;
  place.program = capture_program().string();
  place.threads = options_.threads;
  if (!options_.out.empty()) {
    if (data_digest_.empty()) data_digest_ = digest_of_data(scenario);
    place.checkpoint = options_.out / kTrainingFolder / data_digest_;
    std::filesystem::create_directories(place.checkpoint);
    place.checkpoint_every_s = 20;
  }
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t first = 0;  // that was not there before
  place.progress = [&](std::uint64_t done) {
    if (first == 0) first = done;
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    double left =
        spent.count() / static_cast<double>(done - first + 1) * static_cast<double>(scenario.steps - done);
    progress_.say("training: " + std::string(scenario.compressor.entry->name) + ", " +
                  std::to_string(scenario.learners) + " learners, seed " + std::to_string(scenario.seed) +
                  ": step " + std::to_string(done) + " of " + std::to_string(scenario.steps) + ", " +
                  format_seconds(left) + " left");
  };
  return train(scenario, manifest().layers, place);
}

const TrainingRun& Study::training(const Scenario& scenario) {
  method(scenario);
  return trainings_.at(method_key(scenario));
}

const Study::Method& Study::method(const Scenario& scenario) {
  if (auto known = methods_.find(method_key(scenario)); known != methods_.end()) return known->second;
  progress_.say("compressing: " + std::string(scenario.compressor.entry->name) + ", " +
                std::to_string(scenario.learners) + " learners …");
  if (!scenario.training)
    return add_method(scenario, exchange_of(scenario, gradients_, options_.threads, *shapes_));
  TrainingRun& run = trainings_[method_key(scenario)];
  run = trained(scenario);
  return add_method(scenario, std::move(run.exchange));
}

Study::Request Study::request(const Scenario& scenario, std::size_t most_steps) {
  const Method& run = method(scenario);
  std::shared_ptr<const Topology> topology(scenario.platform.entry->make(scenario.platform.parameters));
  Request result{scenario, {}, {}, {}};
  for (std::size_t s = 0; s < std::min(most_steps, run.record.steps.size()); ++s)
    add_step(result,
             assemble_step(scenario, run.record, s, compute(scenario, run.record.steps[s].batches), run.codec,
                           *topology, unions_),
             topology);
  return result;
}

void Study::add_step(Request& request, AssembledStep step, std::shared_ptr<const Topology> topology,
                     const std::string& key) {
  const Scenario& scenario = request.scenario;
  if (request.steps.empty()) request.named = step.named;
  for (const auto& used : step.algorithms)
    if (std::find(request.algorithms.begin(), request.algorithms.end(), used) == request.algorithms.end())
      request.algorithms.push_back(used);
  request.steps.push_back(replays_.add(key + scenario.resolved.at("platform").dump(-1) +
                                           scenario.resolved.at("stack").dump(-1) +
                                           scenario.resolved.at("engine").dump(-1) + step.key,
                                       std::move(step.program), std::move(topology), scenario.engine));
}

Study::Request Study::request_recorded(
    const Scenario& scenario, std::size_t step,
    const std::function<std::vector<LearnerId>(const StepProgram&)>& recorded) {
  const Method& run = method(scenario);
  std::shared_ptr<const Topology> topology(scenario.platform.entry->make(scenario.platform.parameters));
  Request result{scenario, {}, {}, {}};
  AssembledStep assembled =
      assemble_step(scenario, run.record, step, compute(scenario, run.record.steps[step].batches), run.codec,
                    *topology, unions_);
  assembled.program.recorded = recorded(assembled.program);
  Json learners = Json::list(assembled.program.recorded);
  add_step(result, std::move(assembled), topology, "recorded " + learners.dump(-1));
  return result;
}

std::vector<Study::Request> Study::request_all(const std::vector<Scenario>& scenarios,
                                               std::size_t most_steps) {
  std::vector<Request> all;
  for (const Scenario& scenario : scenarios) all.push_back(request(scenario, most_steps));
  return all;
}

void Study::replay(const std::string& what) {
  constexpr double kLong = 3;
  if (ReplayEstimate ahead = replays_.estimate(); ahead.cpu_s > kLong)
    progress_.announce(what + ": " + std::to_string(ahead.transfers / 1'000'000) +
                       " million transfers, about " +
                       format_seconds(ahead.cpu_s / std::max(1U, options_.threads)) + " …");
  replays_.run(options_.threads, [&](std::size_t done, std::size_t all) {
    throw_if_interrupted();
    progress_.say(what + ": " + std::to_string(done) + " of " + std::to_string(all) + " steps …");
  });
}

std::vector<Timeline> Study::timelines(const Request& request) const {
  std::vector<Timeline> all;
  for (ReplayCache::Id id : request.steps) all.push_back(replays_[id]);
  return all;
}

double Study::mean_step(const Request& request) const {
  double sum = 0;
  for (ReplayCache::Id id : request.steps) sum += replays_[id].step_s;
  return sum / static_cast<double>(request.steps.size());
}

std::vector<Scenario> dense_runs(const Scenario& scenario) {
  auto dense = [](const char* precision) {
    Json json;
    json["name"] = "none";
    json["precision"] = precision;
    return json;
  };
  // A dense step's time does not depend on what is learned.
  Scenario base = scenario;
  if (scenario.training) base = with(with(scenario, "/training", Json()), "/steps", 1);
  // The method goes first: it may not allow other buckets.
  base = with(with(base, "/error_feedback", Json(Json::Object{})), "/compressor", dense("fp32"));
  base = with(base, "/overlap", true);
  std::vector<Scenario> settings{base};
  if (scenario.buckets.text != kDdpBuckets) settings.push_back(with(base, "/buckets", kDdpBuckets));
  if (scenario.algorithm(Word::all_reduce) != "auto")
    for (std::size_t own = settings.size(), i = 0; i < own; ++i)
      settings.push_back(with(settings[i], "/collective/all_reduce", "auto"));
  std::vector<Scenario> all;
  for (const char* precision : {"fp32", "bf16"})
    for (const Scenario& setting : settings) all.push_back(with(setting, "/compressor", dense(precision)));
  return all;
}

std::pair<const Study::Request*, double> best_of(const Study& study,
                                                 const std::vector<Study::Request>& runs) {
  std::pair<const Study::Request*, double> best{nullptr, INFINITY};
  for (const Study::Request& run : runs)
    if (double step = study.mean_step(run); step < best.second) best = {&run, step};
  return best;
}

}  // namespace traincast
