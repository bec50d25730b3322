#include "simulator/pass/compression_pass.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <set>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/pass/method_run.hpp"

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

void refuse_what_does_not_fit(const MethodRun& run, double available) {
  const double room = 0.9 * available;
  double needed = 0;
  std::size_t largest = 0;
  for (std::size_t u = 0; u < run.units(); ++u) {
    if (run.bytes(u, sizeof(float)) <= std::max(room, needed)) continue;
    const double bytes = run.bytes(u, run.longest_message(u));
    if (bytes <= needed) continue;
    needed = bytes;
    largest = u;
  }
  if (needed <= room) return;
  throw InputError("error memories and messages of " + std::to_string(run.scenario().learners) +
                   " learners need up to " + format_bytes(needed) + " of memory, " +
                   format_bytes(run.kept_bytes(largest)) + " of it for memories, and " +
                   format_bytes(available) +
                   " are available; use fewer learners, or a machine with more memory" +
                   (run.keeps_floats(largest)
                        ? ", or hold memories in half of it or on a disk: \"error_feedback\": {\"memory\": "
                          "\"bf16\"}, or \"file\""
                        : ""));
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

double memory_bytes(const LearnerMemory& memory) {
  return memory.in_bf16 ? 2 : memory.held_in == HeldIn::file ? 0 : 4;
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
  double room = 0;  // as run_compressions has it
  runs.reserve(scenarios.size());
  for (const Scenario* scenario : scenarios) {
    const MethodRun& run = runs.emplace_back(*scenario, trace);
    for (std::size_t u = 0; u < run.units(); ++u) {
      units.push({run.bytes(u, sizeof(float)), &run, u});
      room = std::max(room, run.bytes(u, kUsualMessage) + kBesideLargest);
    }
    numbers.insert(scenario->learners);
    steps = std::max(steps, scenario->steps);
  }
  const double sums = static_cast<double>(sizeof(double) * trace.manifest().parameters() * steps) *
                      static_cast<double>(numbers.size());
  double total = std::min(sums, kShareOfSums * available_memory());
  double usual = 0;  // of those that run side by side
  for (unsigned largest = 0; largest < threads && !units.empty();) {
    UnitBytes unit = units.top();
    units.pop();
    const double own = unit.run->bytes(unit.unit, kUsualMessage);
    if (largest > 0 && usual + own > room) continue;
    if (unit.closely) {
      total += unit.bytes;
      usual += own;
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
  run_jobs(std::move(jobs), threads, std::min(largest + kBesideLargest, 0.9 * available),
           [&](const Job& job) {
             MethodRun& run = runs[job.run];
             run.begin(job.unit);
             for (std::size_t s = 0; s < run.scenario().steps; ++s) run.step(job.unit, s, sums);
             run.end(job.unit);
             std::lock_guard lock(mutex);
             if (--left[job.run] == 0 && on_done) on_done(++done);
           });
  std::vector<ExchangeRecord> records;
  for (MethodRun& run : runs) records.push_back(run.record());
  return records;
}

ExchangeRecord run_compression(const Scenario& scenario, const GradientTrace& trace, unsigned threads) {
  const Scenario* alone[] = {&scenario};
  return std::move(run_compressions(alone, trace, threads).front());
}

}  // namespace traincast
