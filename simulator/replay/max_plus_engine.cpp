#include "simulator/replay/max_plus_engine.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace traincast {

void MaxPlusEngine::start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) {
  double now = loop_.now();
  for (double& free : free_at_) free = std::max(free, now);
  auto free_at = recursion_.run(schedule, name, std::span(free_at_).first(schedule.ranks()));
  std::copy(free_at.begin(), free_at.end(), free_at_.begin());
  auto* call = &finished_.emplace_back(std::move(finished));
  for (Rank rank = 0; rank < free_at.size(); ++rank)
    if (std::isfinite(free_at_[rank])) loop_.after(free_at_[rank] - now, [call, rank] { (*call)(rank); });
}

}  // namespace traincast
