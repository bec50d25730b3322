// The left half of traincast: runs a compressor over the learners' gradients and keeps what the timing pass
// and the report need. It knows nothing of the network.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/error_feedback.hpp"
#include "compressors/group.hpp"
#include "simulator/pass/buckets.hpp"
#include "simulator/scenario/scenario.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

inline constexpr Bytes kUnknownBytes = UINT64_MAX;

/// One step of one method, seen from outside the network.
struct StepRecord {
  std::vector<BucketExchange> buckets;
  std::uint32_t regime = 0;  ///< the method's way of working, numbered in order of appearance
  /// Forward and backward passes of each learner, one behind the other; the last one's gradients are sent.
  std::uint32_t passes = 1;
  std::uint32_t batches = 1;         ///< of the workload's size, which each learner takes as one mini-batch
  bool after_backward = false;       ///< nothing can be encoded or sent before backward is over
  double mean_gradient_square = 0;   ///< ‖mean gradient‖²
  double error_square = 0;           ///< ‖average applied − mean gradient‖²
  double mean_input_square = 0;      ///< ‖mean p‖², p = gradient + memory
  double residual_square = 0;        ///< ‖mean p − average applied‖²
  double gradient_square = 0;        ///< sum over learners of ‖gradient‖², or of the mean's
  double memory_square = 0;          ///< sum over learners of ‖memory‖² after the step, or of the mean's
  std::vector<double> union_by_hop;  ///< supports of learners 0 … h united, elements; empty without supports
  double mean_support = 0;           ///< mean over learners of |support|
  double independent_union =
      0;  ///< expected union of N independent supports of these sizes, tensor by tensor
  /// By tensor id, what learners contribute for it, summed over them; kUnknownBytes, or no entry, where one
  /// message carries several tensors.
  std::vector<Bytes> tensor_bytes;
};

struct ExchangeRecord {
  std::uint32_t learners = 1;
  std::uint64_t parameters = 0;
  std::vector<Bucket> buckets;
  std::vector<StepRecord> steps;
};

/// Whether every learner's memory is kept, or their mean.
Memories memories_of(const Scenario& scenario);

/// Bytes of an error memory's number that lie in the machine's memory.
double memory_bytes(const LearnerMemory& memory);

/// Bytes that run_compressions of these takes at most, beside what the process has already.
double compression_memory(std::span<const Scenario* const> scenarios, const GradientTrace& trace,
                          unsigned threads);

/// Runs the compressor of each scenario, for its learners, over the first of its steps of the trace. Units
/// (tensors, for methods that couple no more) of all of them go over threads, as many at a time as memory
/// allows; the records do not depend on that. `on_done` hears, one call at a time, how many scenarios are
/// through. Throws InputError where the error memories of one unit would not fit into this machine's memory.
std::vector<ExchangeRecord> run_compressions(std::span<const Scenario* const> scenarios,
                                             const GradientTrace& trace, unsigned threads,
                                             const std::function<void(std::size_t done)>& on_done = {});
ExchangeRecord run_compression(const Scenario& scenario, const GradientTrace& trace, unsigned threads);

/// The error feedback of the scenario: as it says, or as the method's paper does.
ErrorRule error_rule_of(const Scenario& scenario, const Compressor& compressor, const Bucket& unit);

/// Seconds of codec work by bucket, phase and stage.
struct CodecSeconds {
  struct PhaseTime {
    double each_s[2] = {0, 0};  ///< by Stage: of every learner
    double only_s[2] = {0, 0};  ///< by Stage: of the one learner that Work.only names
  };
  using Buckets = std::vector<std::vector<PhaseTime>>;
  std::vector<Buckets> regimes;  ///< measured or given: by StepRecord::regime
  std::vector<Buckets> steps;    ///< in place of them, of work that every recorded step states for itself

  const Buckets& of(const ExchangeRecord& record, std::size_t step) const {
    return steps.empty() ? regimes[record.steps[step].regime] : steps[step];
  }
};

/// Times the method on one thread, one learner at a time: medians over learners, and over steps after the
/// first.
CodecSeconds measure_codec(const Scenario& scenario, const GradientTrace& trace);

}  // namespace traincast
