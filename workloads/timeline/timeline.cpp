#include "workloads/timeline/timeline.hpp"

#include <algorithm>

namespace traincast {

double ComputeTimeline::backward_s() const {
  return ready_s.empty() ? 0 : *std::max_element(ready_s.begin(), ready_s.end());
}

}  // namespace traincast
