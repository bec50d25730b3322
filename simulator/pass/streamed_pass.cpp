#include "simulator/pass/streamed_pass.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/units.hpp"
#include "compressors/kernels/kernels.hpp"
#include "simulator/pass/method_run.hpp"
#include "simulator/pass/step_window.hpp"

namespace traincast {

namespace {

struct UnitOfRun {
  std::size_t run = 0, unit = 0;
};

/// Tensors with all units of all methods that see any of them.
struct TensorGroup {
  std::vector<std::uint32_t> tensors;
  std::vector<UnitOfRun> units;
  double kept = 0;      // gradients of a step, memories, sums: as long as the group is walked
  double messages = 0;  // of one unit, at most

  double bytes(unsigned threads) const { return kept + threads * messages; }
};

/// The smallest groups that no unit crosses, in the order of their first tensors.
std::vector<TensorGroup> smallest_groups(const std::vector<MethodRun>& runs, const Manifest& manifest) {
  std::vector<std::uint32_t> joined(manifest.layers.size());  // a tensor of the same group, or itself
  std::iota(joined.begin(), joined.end(), 0u);
  auto root = [&](std::uint32_t tensor) {
    while (joined[tensor] != tensor) tensor = joined[tensor];
    return tensor;
  };
  for (const MethodRun& run : runs)
    for (std::size_t u = 0; u < run.units(); ++u) {
      const std::vector<TensorInfo>& tensors = run.unit(u).tensors;
      for (const TensorInfo& tensor : tensors) {
        const std::uint32_t own = root(tensor.id), first = root(tensors.front().id);
        joined[std::max(own, first)] = std::min(own, first);
      }
    }

  std::set<std::uint32_t> numbers;
  for (const MethodRun& run : runs) numbers.insert(run.scenario().learners);
  std::map<std::uint32_t, TensorGroup> by_root;
  for (const TensorInfo& layer : manifest.layers) {
    TensorGroup& group = by_root[root(layer.id)];
    group.tensors.push_back(layer.id);
    group.kept +=
        static_cast<double>(layer.numel()) * (sizeof(float) * static_cast<double>(manifest.learners) +
                                              sizeof(double) * static_cast<double>(numbers.size()));
  }
  for (std::size_t r = 0; r < runs.size(); ++r)
    for (std::size_t u = 0; u < runs[r].units(); ++u) {
      TensorGroup& group = by_root[root(runs[r].unit(u).tensors.front().id)];
      group.units.push_back({r, u});
      const double without_messages = runs[r].bytes(u, 0);
      group.kept += without_messages;
      group.messages =
          std::max(group.messages, runs[r].bytes(u, runs[r].longest_message(u)) - without_messages);
    }
  std::vector<TensorGroup> groups;
  for (auto& [tensor, group] : by_root) groups.push_back(std::move(group));
  return groups;
}

void join(TensorGroup& group, const TensorGroup& more) {
  group.tensors.insert(group.tensors.end(), more.tensors.begin(), more.tensors.end());
  group.units.insert(group.units.end(), more.units.begin(), more.units.end());
  group.kept += more.kept;
  group.messages = std::max(group.messages, more.messages);
}

[[noreturn]] void refuse(const TensorGroup& group, const Manifest& manifest, double needed, double room) {
  std::uint64_t numel = 0;
  for (std::uint32_t tensor : group.tensors) numel += manifest.layers[tensor].numel();
  const std::string of = group.tensors.size() == 1
                             ? "'" + manifest.layers[group.tensors.front()].name + "'"
                             : std::to_string(group.tensors.size()) + " tensors that a method sees together";
  throw InputError(
      "/gradients: gradients of " + std::to_string(manifest.learners) + " learners in one step, " +
      format_bytes(sizeof(float) * static_cast<double>(numel) * manifest.learners) + " for " + of +
      ", with error memories and messages of the scenario's methods need " + format_bytes(needed) +
      " of memory, and " + format_bytes(room) +
      " are there; use fewer learners, fewer methods at a time, \"buckets\": \"tensor\", or hold "
      "memories in bf16 or on a disk: \"error_feedback\": {\"memory\": \"bf16\"}, or \"file\"");
}

/// As few as fit into `room`.
std::vector<TensorGroup> groups_that_fit(const std::vector<MethodRun>& runs, const Manifest& manifest,
                                         unsigned threads, double room) {
  std::vector<TensorGroup> groups;
  for (const TensorGroup& smallest : smallest_groups(runs, manifest)) {
    if (smallest.bytes(threads) > room) refuse(smallest, manifest, smallest.bytes(threads), room);
    TensorGroup together = groups.empty() ? TensorGroup{} : groups.back();
    join(together, smallest);
    if (groups.empty() || together.bytes(threads) > room)
      groups.push_back(smallest);
    else
      groups.back() = std::move(together);
  }
  return groups;
}

/// ‖gradient‖ of the whole model, tensor by tensor.
double norm(std::span<const float> gradient, const std::vector<TensorInfo>& layers) {
  double square = 0;
  for (const TensorInfo& layer : layers) {
    square += kernels().sum_of_squares(gradient.data(), layer.numel());
    gradient = gradient.subspan(layer.numel());
  }
  return std::sqrt(square);
}

}  // namespace

std::vector<ExchangeRecord> run_streamed_compressions(
    std::span<const Scenario* const> scenarios, GradientStream& stream, unsigned threads, double room,
    const std::function<void(const StreamedStep&)>& on_step) {
  const Manifest& manifest = stream.manifest();
  StepWindow window(manifest);
  std::vector<MethodRun> runs;
  std::vector<std::uint32_t> numbers;
  std::uint64_t steps = 0;
  bool norms_needed = false;
  runs.reserve(scenarios.size());
  for (const Scenario* scenario : scenarios) {
    runs.emplace_back(*scenario, window);
    numbers.push_back(scenario->learners);
    steps = std::max(steps, scenario->steps);
    norms_needed = norms_needed || runs.back().needs_norms();
  }
  threads = std::max(1U, threads);
  const std::vector<TensorGroup> groups = groups_that_fit(runs, manifest, threads, room);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const TensorGroup& group = groups[g];
    window.hold(group.tensors);
    for (auto [run, unit] : group.units) runs[run].begin(unit);
    for (std::uint64_t s = 0; s < steps; ++s) {
      if (on_step) on_step({g, groups.size(), s, steps, group.bytes(threads)});
      window.begin(s);
      std::vector<double> norms(norms_needed ? manifest.learners : 0);
      stream.walk(s, [&](LearnerId learner, std::span<const float> gradient) {
        window.put(learner, gradient);
        if (norms_needed) norms[learner] = norm(gradient, manifest.layers);
      });
      for (MethodRun& run : runs)
        if (run.needs_norms()) run.set_norms(s, norms);
      GradientSums sums(window, numbers, INFINITY);  // counted
      std::vector<Job> jobs;
      for (auto [run, unit] : group.units)
        if (s < runs[run].scenario().steps) jobs.push_back({run, unit, runs[run].work(unit), group.messages});
      run_jobs(std::move(jobs), threads, INFINITY,
               [&](const Job& job) { runs[job.run].step(job.unit, s, sums); });
    }
    for (auto [run, unit] : group.units) runs[run].end(unit);
  }
  std::vector<ExchangeRecord> records;
  for (MethodRun& run : runs) records.push_back(run.record());
  return records;
}

}  // namespace traincast
