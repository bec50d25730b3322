#include "workloads/capture/capture.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/median.hpp"
#include "base/units.hpp"
#include "workloads/capture/capture_manifest.hpp"
#include "workloads/capture/capture_memory.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/mean_gradient.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

// Enough for a median, few enough that the other threads seldom wait.
constexpr std::uint32_t kTimedLearners = 4;
constexpr std::uint64_t kTimedSteps = 8;

ComputeTimeline median_timeline(const std::vector<PassTimes>& passes, const std::vector<double>& optimizer) {
  ComputeTimeline timeline;
  std::vector<double> values;
  for (const PassTimes& pass : passes) values.push_back(pass.forward_s);
  timeline.forward_s = median(values);
  for (std::size_t id = 0; id < passes.front().ready_s.size(); ++id) {
    values.clear();
    for (const PassTimes& pass : passes) values.push_back(pass.ready_s[id]);
    timeline.ready_s.push_back(median(values));
  }
  timeline.optimizer_s = median(optimizer);
  return timeline;
}

// One stream of kernels on CUDA: threads would only take turns on it.
unsigned at_once(const CaptureRequest& request) {
  return uses_cuda(request.device) ? 1 : std::min<unsigned>(request.threads, request.learners);
}

/// Bytes of the steps that an earlier capture has left there.
double bytes_left_there(const std::string& folder) {
  double sum = 0;
  std::error_code error;
  if (!std::filesystem::exists(folder + "/" + kUnfinishedLog)) return sum;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("step-"))
      sum += static_cast<double>(entry.file_size(error));
  return sum;
}

void check_disk(const CaptureRequest& request) {
  double needed =
      static_cast<double>(trace_step_bytes(request.model.layers, request.learners, request.values)) *
          static_cast<double>(recorded_steps(request)) -
      bytes_left_there(request.out);
  auto free = static_cast<double>(free_disk_bytes(request.out));
  if (needed > free)
    throw InputError("--out " + request.out + ": the trace takes " + format_bytes(needed) + ", but " +
                     format_bytes(free) + " are free; take fewer learners or steps, another disk" +
                     (request.values == Stored::f32 ? ", or --values bf16 for half of it" : ""));
}

void check_memory(const CaptureRequest& request, const CaptureMemory& memory, unsigned at_once) {
  const double available = available_memory() + peak_memory();  // what the program has already
  if (memory.total() > available)
    throw InputError("training '" + request.workload + "' takes about " + format_bytes(memory.total()) +
                     " of memory: " + format_bytes(memory.state) +
                     " for parameters, their moments and means, " + format_bytes(memory.gradients) +
                     " for gradients, " + format_bytes(memory.activations) + " for activations of " +
                     std::to_string(at_once) + (at_once == 1 ? " learner and " : " learners at once and ") +
                     format_bytes(memory.program) + " for the program, its data and shards; " +
                     format_bytes(available) +
                     " are available; take a smaller batch or model, or fewer --threads");
}

std::uint64_t count_of(const CaptureRequest& request, const char* key) {
  return static_cast<std::uint64_t>(request.parameters.count(key));
}

CaptureMemory memory_of(const CaptureRequest& request, SideBySide held, double program) {
  return capture_memory(request.model, count_of(request, "batch") * held.batches, held.learners,
                        held.gradients, program);
}

SideBySide side_by_side(const CaptureRequest& request) {
  const unsigned learners = at_once(request);
  return {.learners = learners,
          .gradients = learners * summed_at_once(request.model.parameters(), request.learners, learners)};
}

class Capture {
 public:
  Capture(const CaptureRequest& request, std::unique_ptr<Dataset> data, const std::atomic<bool>& stop,
          const Progress& progress)
      : request_(request),
        stop_(stop),
        progress_(progress),
        data_(std::move(data)),
        training_(read_training(request.parameters)),
        shards_(*data_, training_.shards, request.learners, count_of(request, "samples_per_learner"),
                count_of(request, "batch"), request.seed),
        network_({.model = request.model, .seed = request.seed, .device = request.device}),
        writer_(request.out, manifest_of(request, *data_, network_)),
        mean_(request.model.layers) {
    const SideBySide held = side_by_side(request);
    group_ = held.gradients / held.learners;
    for (unsigned i = 0; i < held.learners; ++i) {
      Worker& worker = workers_.emplace_back();
      for (std::uint32_t k = 0; k < group_; ++k) worker.replicas.push_back(network_.replica());
    }
  }

  CaptureResult run() {
    use_one_thread_each();
    warm_up();
    CaptureResult result;
    try {
      for (std::uint64_t step = 0; step < request_.steps; ++step) {
        // The last is always trained: something has to be timed.
        if (step + 1 < request_.steps && is_recorded(step) && writer_.take_up(step)) {
          take_up(step);
          ++result.taken_up;
          continue;
        }
        run_step(step);
        last_loss_ = mean_.mean_loss();
        result.losses.push_back(last_loss_);
      }
    } catch (const SimulationError&) {
      throw;
    } catch (...) {
      writer_.keep_unfinished();
      throw;
    }
    result.manifest = writer_.finish(median_timeline(passes_, optimizer_seconds_));
    return result;
  }

 private:
  struct Worker {
    std::vector<std::unique_ptr<Replica>> replicas;  ///< each holds a learner's gradient until its next run
    Batch batch;
  };

  // The first pass pays for compiling kernels and for memory.
  void warm_up() {
    Worker& worker = workers_.front();
    shards_.fill(0, 0, worker.batch);
    worker.replicas.front()->run(worker.batch);
  }

  void run_step(std::uint64_t step) {
    // A single step is timed itself, after the warm-up.
    bool timed = step + 1 == request_.steps || (step > 0 && step <= kTimedSteps);
    std::uint32_t alone = timed ? std::min(kTimedLearners, request_.learners) : 0;
    recording_ = is_recorded(step);
    if (recording_) writer_.begin_step(step);
    mean_.begin();
    done_ = 0;
    for (LearnerId first = 0; first < alone; first += group_) {
      const LearnerId last = std::min(first + group_, alone);
      run_learners(workers_.front(), step, first, last);
      for (LearnerId i = first; i < last; ++i)
        passes_.push_back(workers_.front().replicas[i - first]->times());
    }
    next_ = alone;
    run_threads(step);
    if (stop_) throw Interrupted{};
    if (recording_) writer_.end_step();
    double seconds = update(step);
    if (timed) optimizer_seconds_.push_back(seconds);
  }

  // The update follows from the gradients alone, to the bit.
  void take_up(std::uint64_t step) {
    mean_.begin();
    std::vector<float> values;
    for (LearnerId learner = 0; learner < request_.learners; ++learner) {
      if (stop_) throw Interrupted{};
      auto read = [&](std::uint32_t, std::uint32_t id) -> std::span<const float> {
        values.resize(request_.model.layers[id].numel());
        writer_.read_back(learner, id, values);
        return values;
      };
      mean_.add(learner, 1, read, {});
      if (progress_) progress_(step, learner + 1, last_loss_);
    }
    update(step);
  }

  double update(std::uint64_t step) {
    double rate = request_.parameters.number("learning_rate") * training_.schedule(step);
    return network_.apply(mean_.mean(), rate, training_.optimizer);
  }

  bool is_recorded(std::uint64_t step) const {
    return request_.windows.empty() || std::ranges::any_of(request_.windows, [&](const auto& window) {
             return window.first <= step && step <= window.second;
           });
  }

  void run_threads(std::uint64_t step) {
    auto work = [&](Worker& worker) {
      try {
        use_one_thread_each();
        for (LearnerId first; (first = next_.fetch_add(group_)) < request_.learners;)
          if (!run_learners(worker, step, first, std::min(first + group_, request_.learners))) break;
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        mean_.abandon();
      }
    };
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < workers_.size(); ++i) helpers.emplace_back([&, i] { work(workers_[i]); });
      work(workers_.front());
    }
    if (error_) std::rethrow_exception(error_);
  }

  bool run_learners(Worker& worker, std::uint64_t step, LearnerId first, LearnerId last) {
    std::vector<double> losses;
    for (LearnerId learner = first; learner < last; ++learner)
      losses.push_back(run_learner(*worker.replicas[learner - first], worker.batch, step, learner));
    return mean_.add(
        first, last - first,
        [&](std::uint32_t i, std::uint32_t id) { return worker.replicas[i]->gradient(id); }, losses);
  }

  double run_learner(Replica& replica, Batch& batch, std::uint64_t step, LearnerId learner) {
    if (stop_) throw Interrupted{};
    shards_.fill(learner, step, batch);
    const double loss = replica.run(batch);
    for (std::uint32_t id = 0; recording_ && id < request_.model.layers.size(); ++id)
      writer_.write(learner, id, replica.gradient(id));
    std::lock_guard lock(mutex_);
    ++done_;
    if (progress_) progress_(step, done_, last_loss_);
    return loss;
  }

  const CaptureRequest& request_;
  const std::atomic<bool>& stop_;
  const Progress& progress_;
  std::unique_ptr<Dataset> data_;
  Training training_;
  Shards shards_;
  Network network_;
  TraceWriter writer_;
  MeanGradient mean_;
  std::vector<Worker> workers_;
  std::uint32_t group_ = 1;  ///< learners whose gradients a worker adds at once
  std::vector<PassTimes> passes_;
  std::vector<double> optimizer_seconds_;
  double last_loss_ = 0;
  bool recording_ = true;
  std::atomic<LearnerId> next_{0};
  std::mutex mutex_;  // of what follows
  std::uint32_t done_ = 0;
  std::exception_ptr error_;
};

}  // namespace

std::uint64_t recorded_steps(const CaptureRequest& request) {
  if (request.windows.empty()) return request.steps;
  std::uint64_t sum = 0;
  for (auto [first, last] : request.windows) sum += last - first + 1;
  return sum;
}

double refuse_what_does_not_fit(const CaptureRequest& request, const Dataset& data, SideBySide held,
                                double program) {
  const double dealt = Shards::bytes(data, read_training(request.parameters).shards, request.learners,
                                     count_of(request, "samples_per_learner"));
  CaptureMemory memory = memory_of(request, held, program + dealt);
  const bool cuda = uses_cuda(request.device);
  if (cuda) {  // copies of gradients, their sums and mean alone are here
    memory.state = static_cast<double>(request.model.parameters() * (sizeof(double) + sizeof(float)));
    memory.activations = 0;
  }
  check_memory(request, memory, held.learners);
  return cuda ? 0 : memory.total();
}

void refuse_what_the_device_cannot_hold(const CaptureRequest& request, SideBySide held) {
  if (!uses_cuda(request.device)) return;
  const CaptureMemory memory = memory_of(request, held, 0);
  // Beside the network's parameters each learner's own may differ.
  const double own = held.learners * static_cast<double>(request.model.parameters() * sizeof(float)),
               needed = memory.state + own + memory.gradients + memory.activations, free = free_cuda_memory();
  if (needed > free)
    throw InputError("training '" + request.workload + "' takes about " + format_bytes(needed) +
                     " of the CUDA device's memory, and " + format_bytes(free) +
                     " are free; take a smaller batch or model, or --device cpu");
}

CaptureResult capture(const CaptureRequest& request, const std::atomic<bool>& stop,
                      const Progress& progress) {
  auto data = make_dataset(request.parameters.choice("data"), request.model, request.seed);
  const double stated = refuse_what_does_not_fit(request, *data, side_by_side(request), peak_memory());
  refuse_what_the_device_cannot_hold(request, side_by_side(request));
  check_disk(request);
  keep_blas_to_one_thread();
  CaptureResult result = Capture(request, std::move(data), stop, progress).run();
  result.stated_memory = stated;
  return result;
}

}  // namespace traincast
