#include "simulator/pass/compression_pass.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/pass/unit_walk.hpp"

namespace traincast {

namespace {

// From so many learners on, what the plain form of a linear method costs beyond reading gradients is felt.
constexpr std::uint32_t kMany = 32;
// Sums of gradients take this share of the free memory at most.
constexpr double kShareOfSums = 1.0 / 8;
// Units run side by side as long as their memories take no more than the largest one's and this.
constexpr double kBesideLargest = 512.0 * 1024 * 1024;

/// One method at one number of learners, and what its units gave.
class MethodRun {
 public:
  MethodRun(const Scenario& scenario, const TraceReader& trace)
      : scenario_(scenario),
        trace_(trace),
        compressor_(scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)),
        memories_(memories_of(scenario)),
        buckets_(make_buckets(trace.manifest().layers, scenario.buckets)),
        units_(make_units(*compressor_, buckets_)),
        norms_(gradient_norms(*compressor_, trace, scenario.steps, scenario.learners)),
        walked_(units_.size()) {}

  const Scenario& scenario() const { return scenario_; }
  std::size_t units() const { return units_.size(); }

  /// Elements that a unit goes through, over all learners.
  double work(std::size_t unit) const {
    return static_cast<double>(units_[unit].seen.numel()) * scenario_.learners;
  }

  /// Memories, momenta, what is applied and the sums beside it; messages are taken to be a quarter of the
  /// vectors that they stand for, or, at most, as large.
  double bytes(std::size_t unit, bool at_most) const {
    const Bucket& seen = units_[unit].seen;
    ErrorRule rule = error_rule_of(scenario_, *compressor_, seen);
    const bool mean = memories_ == Memories::mean;
    double each = mean ? 4 : at_most ? 4 : 1;
    if (rule.error != ErrorRule::Error::none || compressor_->remembers()) each += 4;
    if (rule.momentum_before) each += 4;
    return static_cast<double>(seen.numel()) * (each * (mean ? 1 : scenario_.learners) + 40);
  }

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
  const Scenario& scenario_;
  const TraceReader& trace_;
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
  for (std::size_t u = 0; u < run.units(); ++u)
    if (double needed = run.bytes(u, true); needed > 0.9 * available)
      throw InputError("error memories and messages of " + std::to_string(run.scenario().learners) +
                       " learners need up to " + format_bytes(needed) + " of memory, and " +
                       format_bytes(available) +
                       " are available; use fewer learners, or a machine with more memory");
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

std::vector<ExchangeRecord> run_compressions(std::span<const Scenario* const> scenarios,
                                             const TraceReader& trace, unsigned threads,
                                             const std::function<void(std::size_t done)>& on_done) {
  const double available = available_memory();
  std::vector<MethodRun> runs;
  std::vector<std::uint32_t> numbers;
  runs.reserve(scenarios.size());
  for (const Scenario* scenario : scenarios) {
    refuse_what_does_not_fit(runs.emplace_back(*scenario, trace), available);
    numbers.push_back(scenario->learners);
  }
  std::vector<Job> jobs;
  double largest = 0;
  std::vector<std::size_t> left;  // units of each run
  for (std::size_t r = 0; r < runs.size(); ++r) {
    left.push_back(runs[r].units());
    for (std::size_t u = 0; u < runs[r].units(); ++u) {
      jobs.push_back({r, u, runs[r].work(u), runs[r].bytes(u, false)});
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

ExchangeRecord run_compression(const Scenario& scenario, const TraceReader& trace, unsigned threads) {
  const Scenario* alone[] = {&scenario};
  return std::move(run_compressions(alone, trace, threads).front());
}

}  // namespace traincast
