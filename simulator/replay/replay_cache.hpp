// Steps that wait to be replayed: equal ones on equal platforms once, several at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "simulator/replay/replay.hpp"
#include "simulator/replay/replay_estimate.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

class ReplayCache {
 public:
  using Id = std::size_t;

  /// `key` tells equal steps on equal platforms by equal engines.
  Id add(const std::string& key, StepProgram program, std::shared_ptr<const Topology> topology,
         Engine engine);
  /// Of all that waits.
  ReplayEstimate estimate() const;
  /// Replays what was added since the last call; `done(finished, of)` after each.
  void run(unsigned at_once, const std::function<void(std::size_t, std::size_t)>& done);
  const Timeline& operator[](Id id) const { return timelines_[id]; }
  std::size_t replayed() const { return timelines_.size(); }

 private:
  std::map<std::string, Id> known_;
  std::vector<StepProgram> waiting_;
  std::vector<std::shared_ptr<const Topology>> topologies_;
  std::vector<Engine> engines_;
  std::vector<Timeline> timelines_;
};

}  // namespace traincast
