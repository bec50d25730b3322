#include "simulator/pass/compression_pass.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/pass/unit_walk.hpp"
#include "simulator/scenario/trial_run.hpp"

namespace traincast {

namespace {

// From so many learners on, what the plain form of a linear method costs beyond reading gradients is felt.
constexpr std::uint32_t kMany = 32;
// Sums of gradients take this share of the free memory at most.
constexpr double kShareOfSums = 1.0 / 8;
// Units run side by side as long as their memories take no more than the largest one's and this.
constexpr double kBesideLargest = 512.0 * 1024 * 1024;
// Messages are usually a quarter of the vectors that they stand for, or less.
constexpr double kUsualMessage = 1;
// Bytes for each element, however many learners: averages and sums in float64, a gradient and buffers.
constexpr double kBesideLearners = 60;

/// One method at one number of learners, and what its units gave.
class MethodRun {
 public:
  MethodRun(const Scenario& scenario, const GradientTrace& trace)
      : scenario_(scenario),
        trace_(trace),
        compressor_(scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)),
        memories_(memories_of(scenario)),
        buckets_(make_buckets(trace.manifest().layers, scenario.buckets)),
        units_(make_units(*compressor_, buckets_)),
        walked_(units_.size()) {}

  const Scenario& scenario() const { return scenario_; }
  std::size_t units() const { return units_.size(); }

  /// Elements that a unit goes through, over all learners.
  double work(std::size_t unit) const {
    return static_cast<double>(units_[unit].seen.numel()) * scenario_.learners;
  }

  /// What learners keep of a unit from step to step, in memory.
  double kept_bytes(std::size_t unit) const {
    const Bucket& seen = units_[unit].seen;
    const ErrorRule rule = error_rule_of(scenario_, *compressor_, seen);
    double each = 0;
    if (rule.error != ErrorRule::Error::none)
      each = rule.in_bf16 ? 2 : scenario_.learner_memory.held_in == HeldIn::file ? 0 : 4;
    if (compressor_->remembers()) each += 4;
    if (rule.momentum_before) each += 4;
    return static_cast<double>(seen.numel()) * each * learners_kept();
  }

  /// That, what is applied and the sums beside it, and messages that are so many bytes for each element.
  double bytes(std::size_t unit, double message) const {
    return kept_bytes(unit) +
           static_cast<double>(units_[unit].seen.numel()) * (message * learners_kept() + kBesideLearners);
  }

  /// Bytes of a learner's message for each element: as large as the vector, or, where all are alike, as one
  /// turns out to be.
  double longest_message(std::size_t unit) const {
    if (!compressor_->sizes_follow_from_shape()) return sizeof(float);
    const Bucket& seen = units_[unit].seen;
    double sum = 0;
    for (const Phase& phase : trial_phases(scenario_.compressor, scenario_.seed, seen, 1, scenario_.learners,
                                           error_rule_of(scenario_, *compressor_, seen)))
      if (phase.op && phase.op->word != Word::all_reduce)  // there one sum is there, whoever adds to it
        sum += static_cast<double>(phase.op->contributed(1));
    return sum / static_cast<double>(seen.numel());
  }

  bool keeps_floats(std::size_t unit) const {
    return error_rule_of(scenario_, *compressor_, units_[unit].seen).error != ErrorRule::Error::none &&
           !scenario_.learner_memory.in_bf16 && scenario_.learner_memory.held_in == HeldIn::memory;
  }

  /// Before the first walk.
  void read_norms() { norms_ = gradient_norms(*compressor_, trace_, scenario_.steps, scenario_.learners); }

  void walk(std::size_t unit, GradientSums& sums) {
    UnitWalk walk(scenario_, trace_, units_[unit].seen, norms_, scenario_.learners, memories_);
    for (std::size_t s = 0; s < scenario_.steps; ++s) walked_[unit].push_back(walk.step(s, sums));
  }

  /// After all units.
  ExchangeRecord record() {
    ExchangeRecord record;
    record.learners = scenario_.learners;
    record.parameters = trace_.manifest().parameters();
    record.buckets = buckets_;
    record.steps.resize(scenario_.steps);
    const std::vector<std::uint32_t> regimes = regimes_of(*compressor_, trace_, scenario_.steps);
    for (std::size_t s = 0; s < scenario_.steps; ++s) {
      StepAssembly step(buckets_.size(), record.learners);
      for (std::size_t u = 0; u < units_.size(); ++u) step.add(units_[u], std::move(walked_[u][s]));
      record.steps[s] = step.take();
      record.steps[s].regime = regimes[s];
    }
    return record;
  }

 private:
  /// Learners whose vectors are there at once.
  double learners_kept() const { return memories_ == Memories::mean ? 1 : scenario_.learners; }

  const Scenario& scenario_;
  const GradientTrace& trace_;
  std::unique_ptr<Compressor> compressor_;
  Memories memories_;
  std::vector<Bucket> buckets_;
  std::vector<CompressorUnit> units_;
  GradientNorms norms_;
  std::vector<std::vector<UnitStep>> walked_;  // by unit and step
};

struct Job {
  std::size_t run = 0, unit = 0;
  double work = 0, bytes = 0;
};

/// Runs jobs from several threads, the longest first, those that fit beside each other into `room`; of
/// several failures the first in their order is rethrown.
class Workers {
 public:
  Workers(std::vector<Job> jobs, double room, std::function<void(const Job&)> run)
      : jobs_(std::move(jobs)), room_(room), run_(std::move(run)), started_(jobs_.size(), false) {
    std::stable_sort(jobs_.begin(), jobs_.end(), [](const Job& a, const Job& b) { return a.work > b.work; });
  }

  void run(unsigned threads) {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < std::min<std::size_t>(threads, jobs_.size()); ++t)
      others.emplace_back([this] { work(); });
    work();
    others.clear();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      std::size_t next = first_that_fits();
      if (next == jobs_.size()) {
        if (left_ == 0 || failure_) return;
        changed_.wait(lock);
        continue;
      }
      started_[next] = true;
      --left_;
      used_ += jobs_[next].bytes;
      ++running_;
      lock.unlock();
      std::exception_ptr failed;
      try {
        run_(jobs_[next]);
      } catch (...) {
        failed = std::current_exception();
      }
      lock.lock();
      if (failed && next < failed_at_) {
        failed_at_ = next;
        failure_ = failed;
      }
      used_ -= jobs_[next].bytes;
      --running_;
      changed_.notify_all();
    }
  }

  std::size_t first_that_fits() const {
    if (failure_) return jobs_.size();
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (!started_[i] && (running_ == 0 || used_ + jobs_[i].bytes <= room_)) return i;
    return jobs_.size();
  }

  std::vector<Job> jobs_;
  double room_;
  std::function<void(const Job&)> run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> started_;
  std::size_t left_ = jobs_.size(), running_ = 0, failed_at_ = SIZE_MAX;
  double used_ = 0;
  std::exception_ptr failure_;
};

void refuse_what_does_not_fit(const MethodRun& run, double available) {
  for (std::size_t u = 0; u < run.units(); ++u) {
    const double room = 0.9 * available;
    if (run.bytes(u, sizeof(float)) <= room) continue;
    const double needed = run.bytes(u, run.longest_message(u));
    if (needed <= room) continue;
    throw InputError("error memories and messages of " + std::to_string(run.scenario().learners) +
                     " learners need up to " + format_bytes(needed) + " of memory, " +
                     format_bytes(run.kept_bytes(u)) + " of it for memories, and " + format_bytes(available) +
                     " are available; use fewer learners, or a machine with more memory" +
                     (run.keeps_floats(u)
                          ? ", or hold memories in half of it or on a disk: \"error_feedback\": {\"memory\": "
                            "\"bf16\"}, or \"file\""
                          : ""));
  }
}

}  // namespace

ErrorRule error_rule_of(const Scenario& scenario, const Compressor& compressor, const Bucket& unit) {
  return scenario.learner_memory.over(compressor.error_rule_for(unit));
}

Memories memories_of(const Scenario& scenario) {
  if (scenario.learner_memory.memories) return *scenario.learner_memory.memories;
  if (scenario.learner_memory.in_bf16) return Memories::each;  // each is rounded by itself
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  return compressor->linear() && scenario.learners >= kMany ? Memories::mean : Memories::each;
}

double compression_memory(std::span<const Scenario* const> scenarios, const GradientTrace& trace,
                          unsigned threads) {
  struct UnitBytes {
    double bytes = 0;
    const MethodRun* run = nullptr;
    std::size_t unit = 0;
    bool closely = false;  // its messages were looked at; else they are taken to be as long as vectors
    bool operator<(const UnitBytes& other) const { return bytes < other.bytes; }
  };
  std::priority_queue<UnitBytes> units;  // of all methods
  std::vector<MethodRun> runs;
  std::set<std::uint32_t> numbers;
  std::uint64_t steps = 0;
  runs.reserve(scenarios.size());
  for (const Scenario* scenario : scenarios) {
    const MethodRun& run = runs.emplace_back(*scenario, trace);
    for (std::size_t u = 0; u < run.units(); ++u) units.push({run.bytes(u, sizeof(float)), &run, u});
    numbers.insert(scenario->learners);
    steps = std::max(steps, scenario->steps);
  }
  const double sums = static_cast<double>(sizeof(double) * trace.manifest().parameters() * steps) *
                      static_cast<double>(numbers.size());
  double total = std::min(sums, kShareOfSums * available_memory());
  for (unsigned largest = 0; largest < threads && !units.empty();) {
    UnitBytes unit = units.top();
    units.pop();
    if (unit.closely) {
      total += unit.bytes;
      ++largest;
      continue;
    }
    unit.bytes = unit.run->bytes(unit.unit, unit.run->longest_message(unit.unit));
    unit.closely = true;
    units.push(unit);
  }
  return total;
}

std::vector<ExchangeRecord> run_compressions(std::span<const Scenario* const> scenarios,
                                             const GradientTrace& trace, unsigned threads,
                                             const std::function<void(std::size_t done)>& on_done) {
  const double available = available_memory();
  std::vector<MethodRun> runs;
  std::vector<std::uint32_t> numbers;
  runs.reserve(scenarios.size());
  for (const Scenario* scenario : scenarios) {
    refuse_what_does_not_fit(runs.emplace_back(*scenario, trace), available);
    runs.back().read_norms();
    numbers.push_back(scenario->learners);
  }
  std::vector<Job> jobs;
  double largest = 0;
  std::vector<std::size_t> left;  // units of each run
  for (std::size_t r = 0; r < runs.size(); ++r) {
    left.push_back(runs[r].units());
    for (std::size_t u = 0; u < runs[r].units(); ++u) {
      jobs.push_back({r, u, runs[r].work(u), runs[r].bytes(u, kUsualMessage)});
      largest = std::max(largest, jobs.back().bytes);
    }
  }
  GradientSums sums(trace, numbers, kShareOfSums * available);
  std::mutex mutex;
  std::size_t done = 0;
  Workers workers(std::move(jobs), std::min(largest + kBesideLargest, 0.9 * available), [&](const Job& job) {
    runs[job.run].walk(job.unit, sums);
    std::lock_guard lock(mutex);
    if (--left[job.run] == 0 && on_done) on_done(++done);
  });
  workers.run(threads);
  std::vector<ExchangeRecord> records;
  for (MethodRun& run : runs) records.push_back(run.record());
  return records;
}

ExchangeRecord run_compression(const Scenario& scenario, const GradientTrace& trace, unsigned threads) {
  const Scenario* alone[] = {&scenario};
  return std::move(run_compressions(alone, trace, threads).front());
}

}  // namespace traincast
