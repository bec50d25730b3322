#include "simulator/pass/method_run.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/machine.hpp"
#include "simulator/scenario/trial_run.hpp"

namespace traincast {

namespace {

// Bytes for each element, however many learners: averages and sums in float64, a gradient and buffers.
constexpr double kBesideLearners = 60;

}  // namespace

MethodRun::MethodRun(const Scenario& scenario, const GradientTrace& trace)
    : scenario_(scenario),
      trace_(trace),
      compressor_(scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)),
      memories_(memories_of(scenario)),
      buckets_(make_buckets(trace.manifest().layers, scenario.buckets)),
      units_(make_units(*compressor_, buckets_)),
      walks_(units_.size()),
      walked_(units_.size()) {}

double MethodRun::work(std::size_t unit) const {
  return static_cast<double>(units_[unit].seen.numel()) * scenario_.learners;
}

double MethodRun::kept_bytes(std::size_t unit) const {
  const Bucket& seen = units_[unit].seen;
  const ErrorRule rule = error_rule_of(scenario_, *compressor_, seen);
  double each = 0;
  if (rule.error != ErrorRule::Error::none) each = memory_bytes(scenario_.learner_memory);
  if (compressor_->remembers()) each += 4;
  if (rule.momentum_before) each += 4;
  return static_cast<double>(seen.numel()) * each * learners_kept();
}

double MethodRun::bytes(std::size_t unit, double message) const {
  return kept_bytes(unit) +
         static_cast<double>(units_[unit].seen.numel()) * (message * learners_kept() + kBesideLearners);
}

double MethodRun::longest_message(std::size_t unit) const {
  if (bytes(unit, 0) > available_memory()) return 0;  // refused as it is; a trial would need the memory
  if (!compressor_->sizes_follow_from_shape()) return sizeof(float);
  const Bucket& seen = units_[unit].seen;
  double sum = 0;
  for (const Phase& phase : trial_phases(scenario_.compressor, scenario_.seed, seen, 1, scenario_.learners,
                                         error_rule_of(scenario_, *compressor_, seen)))
    if (phase.op && phase.op->word != Word::all_reduce)  // there one sum is there, whoever adds to it
      sum += static_cast<double>(phase.op->contributed(1));
  return sum / static_cast<double>(seen.numel());
}

bool MethodRun::keeps_floats(std::size_t unit) const {
  return error_rule_of(scenario_, *compressor_, units_[unit].seen).error != ErrorRule::Error::none &&
         !scenario_.learner_memory.in_bf16 && scenario_.learner_memory.held_in == HeldIn::memory;
}

void MethodRun::read_norms() {
  norms_ = gradient_norms(*compressor_, trace_, scenario_.steps, scenario_.learners);
}

void MethodRun::set_norms(std::size_t step, std::span<const double> learners) {
  norms_.resize(scenario_.steps);
  if (step < norms_.size()) norms_[step].assign(learners.begin(), learners.begin() + scenario_.learners);
}

void MethodRun::begin(std::size_t unit) {
  walks_[unit] =
      std::make_unique<UnitWalk>(scenario_, trace_, units_[unit].seen, norms_, scenario_.learners, memories_);
}

void MethodRun::step(std::size_t unit, std::size_t step, GradientSums& sums) {
  walked_[unit].push_back(walks_[unit]->step(step, sums));
}

void MethodRun::end(std::size_t unit) { walks_[unit].reset(); }

ExchangeRecord MethodRun::record() {
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

namespace {

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

}  // namespace

void run_jobs(std::vector<Job> jobs, unsigned threads, double room,
              const std::function<void(const Job&)>& run) {
  Workers(std::move(jobs), room, run).run(threads);
}

}  // namespace traincast
