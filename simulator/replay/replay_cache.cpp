#include "simulator/replay/replay_cache.hpp"

#include <utility>

namespace traincast {

ReplayCache::Id ReplayCache::add(const std::string& key, StepProgram program,
                                 std::shared_ptr<const Topology> topology, Engine engine) {
  auto [at, fresh] = known_.try_emplace(key, timelines_.size() + waiting_.size());
  if (fresh) {
    waiting_.push_back(std::move(program));
    topologies_.push_back(std::move(topology));
    engines_.push_back(engine);
  }
  return at->second;
}

ReplayEstimate ReplayCache::estimate() const {
  ReplayEstimate all;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    ReplayEstimate one = estimate_replay(waiting_[i], *topologies_[i], engines_[i]);
    all.transfers += one.transfers;
    all.cpu_s += one.cpu_s;
  }
  return all;
}

void ReplayCache::run(unsigned at_once, const std::function<void(std::size_t, std::size_t)>& done) {
  std::vector<const Topology*> topologies;
  for (const auto& topology : topologies_) topologies.push_back(topology.get());
  std::size_t finished = 0;
  for (Timeline& timeline : replay_steps(waiting_, topologies, engines_, at_once,
                                         [&](std::size_t) { done(++finished, waiting_.size()); }))
    timelines_.push_back(std::move(timeline));
  waiting_.clear();
  topologies_.clear();
  engines_.clear();
}

}  // namespace traincast
