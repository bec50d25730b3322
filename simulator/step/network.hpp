// What a communicator needs of a network: time and transfers. Nothing here knows how they are simulated.
#pragma once

#include <functional>
#include <vector>

#include "simulator/collectives/schedule.hpp"
#include "simulator/step/event_loop.hpp"
#include "simulator/step/tier_load.hpp"

namespace traincast {

/// One message on its way.
struct Crossing {
  Rank from = 0, to = 0;
  Bytes bytes = 0;       ///< what is counted
  Bytes load = 0;        ///< what occupies the links: the bytes, and what a protocol adds to them
  double latency_s = 0;  ///< added to the route's
};

class Network : public EventLoop {
 public:
  /// Calls back, never at once, when the message has arrived; without bytes, after the latency.
  virtual void transfer(const Crossing& crossing, std::function<void()> arrived) = 0;

  /// What the transfers so far carried, counted on each link that they crossed; in order of tier name.
  virtual std::vector<TierLoad> tier_loads() const = 0;
};

}  // namespace traincast
