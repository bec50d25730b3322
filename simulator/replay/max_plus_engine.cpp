#include "simulator/replay/max_plus_engine.hpp"

#include <algorithm>
#include <cmath>

namespace traincast {

void MaxPlusEngine::start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) {
  double now = loop_.now();
  for (double& free : free_at_) free = std::max(free, now);
  free_at_ = recursion_.run(schedule, name, free_at_);
  auto* call = &finished_.emplace_back(std::move(finished));
  for (Rank rank = 0; rank < free_at_.size(); ++rank)
    if (std::isfinite(free_at_[rank])) loop_.after(free_at_[rank] - now, [call, rank] { (*call)(rank); });
}

}  // namespace traincast
