// Capturing as a whole: N virtual learners, step by step along the dense trajectory, every gradient into the
// trace.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/parameters.hpp"
#include "workloads/capture/neural_network.hpp"
#include "workloads/data/dataset.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

struct CaptureRequest {
  std::string workload;  ///< an entry's name, its checked parameters and its model
  Parameters parameters;
  Model model;
  std::uint32_t learners = 1;
  std::uint64_t steps = 1;                                       ///< trained
  std::vector<std::pair<std::uint64_t, std::uint64_t>> windows;  ///< steps [first, last] recorded; none: all
  std::uint64_t seed = 1;
  unsigned threads = 1;
  Stored values = Stored::f32;  ///< in the trace; learners train with all of float's digits
  std::string out;
  Device device = Device::automatic;
};

/// Steps that go into the trace.
std::uint64_t recorded_steps(const CaptureRequest& request);

/// What is in memory at a time.
struct SideBySide {
  unsigned learners = 1;      ///< that are computed
  unsigned gradients = 1;     ///< that are held
  std::uint32_t batches = 1;  ///< of the workload's, which a learner takes as one
};

/// Bytes that this process takes at most, which took `program` once it had its data and before it had dealt
/// or computed anything; 0 where a CUDA device computes, whose libraries take what they take. Throws
/// InputError where they are not there.
double refuse_what_does_not_fit(const CaptureRequest& request, const Dataset& data, SideBySide held,
                                double program);

/// The same of a CUDA device's own memory, where the request computes on one.
void refuse_what_the_device_cannot_hold(const CaptureRequest& request, SideBySide held);

struct CaptureResult {
  Manifest manifest;
  std::vector<double>
      losses;  ///< of every step trained now: mean over the learners' mini-batches, before each step
  double stated_memory = 0;    ///< bytes, computed before the start
  std::uint64_t taken_up = 0;  ///< steps that an earlier capture had finished
};

/// Called after each learner, from any thread, one at a time.
using Progress = std::function<void(std::uint64_t step, std::uint32_t learners_done, double last_loss)>;

/// The caller asked to stop; steps that are finished are left for a later call with the same request.
struct Interrupted {};

/// Goes on with what an earlier call left in the folder: gradients of finished steps are read instead of
/// computed, and the trace is the same to the byte but for its times. Throws InputError, SimulationError
/// where training diverges, and Interrupted soon after `stop` becomes true.
CaptureResult capture(const CaptureRequest& request, const std::atomic<bool>& stop,
                      const Progress& progress = {});

}  // namespace traincast
