// SimGrid as a network: every transfer is a flow, shared fairly on each link that it crosses. One per
// process.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/step/network.hpp"

namespace traincast {

class SimGridNetwork : public Network {
 public:
  /// `cluster` must outlive this. Throws SimulationError where this process has had one before.
  explicit SimGridNetwork(const Cluster& cluster);
  ~SimGridNetwork() override;

  double now() const override;
  void after(double seconds, std::function<void()> then) override;
  void transfer(const Crossing& crossing, std::function<void()> arrived) override;
  void run() override;

  std::vector<TierLoad> tier_loads() const override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace traincast
