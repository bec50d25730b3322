// When things happen inside a learner's step, network aside.
#pragma once

#include <string>
#include <vector>

namespace traincast {

struct ComputeTimeline {
  double forward_s = 0;
  /// By tensor id: seconds after the start of backward at which its gradient is complete. Backward ends with
  /// the last.
  std::vector<double> ready_s;
  double optimizer_s = 0;

  double backward_s() const;
};

}  // namespace traincast
