// Runs that share gradients: the exchanges and times of their methods, each computed once, and the replays of
// their steps.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/assemble.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/pass/gradients.hpp"
#include "simulator/pass/shape_exchange.hpp"
#include "simulator/pass/timings.hpp"
#include "simulator/progress.hpp"
#include "simulator/replay/replay_cache.hpp"
#include "simulator/run.hpp"
#include "simulator/training/training_run.hpp"

namespace traincast {

class Study {
 public:
  /// `given` replaces measuring; what is measured goes to `measured`.
  Study(Gradients gradients, const std::string& scenario_file, const Scenario& any, const RunOptions& options,
        const std::optional<Timings>& given, Timings& measured, Progress& progress);

  const Manifest& manifest() const { return gradients_.manifest(); }

  /// What the method of this scenario sends, at this number of learners; run through the compressor when
  /// first asked for.
  const ExchangeRecord& exchange(const Scenario& scenario) { return method(scenario).record; }

  /// Runs the methods of these scenarios that were not run yet, side by side.
  void compress(const std::vector<Scenario>& scenarios);

  /// Bytes that this process was expected to take at most for what was compressed; 0 where nothing was.
  double expected_memory() const { return expected_memory_; }
  /// The same of the learners' process and what it took, where gradients are streamed; zeros where not.
  ProcessMemory learners_memory() {
    return gradients_.stream() ? gradients_.stream()->memory() : ProcessMemory{};
  }

  /// Where training is in the loop: the run from this scenario's seed, without its exchange.
  const TrainingRun& training(const Scenario& scenario);

  /// Steps of one run that wait in the cache, or are replayed.
  struct Request {
    Scenario scenario;
    std::vector<ReplayCache::Id> steps;
    std::vector<std::pair<Word, std::string>> algorithms;
    std::vector<AssembledStep::NamedChoice> named;  ///< of the first step
  };
  Request request(const Scenario& scenario, std::size_t most_steps = SIZE_MAX);
  std::vector<Request> request_all(const std::vector<Scenario>& scenarios, std::size_t most_steps = SIZE_MAX);

  /// One step of a run, replayed with a record of the learners that `recorded` chooses.
  Request request_recorded(const Scenario& scenario, std::size_t step,
                           const std::function<std::vector<LearnerId>(const StepProgram&)>& recorded);

  /// Replays what was requested since the last call.
  void replay(const std::string& what);
  std::vector<Timeline> timelines(const Request& request) const;
  double mean_step(const Request& request) const;
  std::size_t replayed() const { return replays_.replayed(); }

 private:
  struct Method {
    ExchangeRecord record;
    CodecSeconds codec;
  };
  void add_step(Request& request, AssembledStep step, std::shared_ptr<const Topology> topology,
                const std::string& key = "");
  /// Of a step that takes so many of the workload's mini-batches as one.
  const ComputeTimeline& compute(const Scenario& scenario, std::uint32_t batches);
  ComputeTimeline compute_timeline(const std::string& scenario_file, const Scenario& scenario);
  ComputeTimeline recorded_timeline(const std::string& scenario_file, const Scenario& scenario) const;
  ComputeTimeline described_timeline(const std::string& scenario_file, const Scenario& scenario) const;
  CodecSeconds codec_seconds(const Scenario& scenario, const ExchangeRecord& record);
  TrainingRun trained(const Scenario& scenario);
  std::vector<ExchangeRecord> compress_stream(std::span<const Scenario* const> fresh);
  void keep(const Scenario& scenario, const ExchangeRecord& record) const;
  const Method& method(const Scenario& scenario);
  const Method& add_method(const Scenario& scenario, ExchangeRecord record);

  Gradients gradients_;
  const RunOptions& options_;
  const std::optional<Timings>& given_;
  Timings& measured_;
  Progress& progress_;
  ComputeTimeline compute_;
  double expected_memory_ = 0;
  std::map<std::uint32_t, ComputeTimeline> grown_;  // the same of more mini-batches at once
  std::map<std::string, Method> methods_;
  std::map<std::string, TrainingRun> trainings_;  // their exchanges are in methods_
  std::string data_digest_;                       // empty until one is trained
  std::shared_ptr<KnownUnions> unions_;
  std::shared_ptr<ShapePhases> shapes_;
  ReplayCache replays_;
};

/// Dense runs that a run is compared with: fp32 and bf16, overlapped, on its platform, in its own buckets and
/// in DDP's, with its own all-reduce and with the one that "auto" takes. The first is fp32 with the run's own
/// settings.
std::vector<Scenario> dense_runs(const Scenario& scenario);
/// The fastest of them, and its step time.
std::pair<const Study::Request*, double> best_of(const Study& study, const std::vector<Study::Request>& runs);

}  // namespace traincast
