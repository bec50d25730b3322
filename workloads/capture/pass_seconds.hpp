// What one learner's pass over a mini-batch takes of the processor.
#pragma once

#include "workloads/capture/capture.hpp"

namespace traincast {

/// Seconds of one core, so that other work on the machine counts little; medians.
struct PassSeconds {
  double data = 0;  ///< making the mini-batch
  double pass = 0;  ///< forward and backward
  std::uint32_t passes = 0;
};

/// On the CPU, one pass after the other: at least `least` of them, and on until they have taken a second or
/// are 64, behind one that does not count. Of the request, steps and output are not used. Throws InputError
/// where it would not fit into memory.
PassSeconds pass_seconds(const CaptureRequest& request, std::uint32_t least);

/// The same as the file that `traincast-capture --time` writes.
Json describe_passes(const CaptureRequest& request, const PassSeconds& seconds);

}  // namespace traincast
