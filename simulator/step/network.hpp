// What a communicator needs of a network: time and transfers. Nothing here knows how they are simulated.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "simulator/collectives/schedule.hpp"
#include "simulator/step/event_loop.hpp"

namespace traincast {

class Network : public EventLoop {
 public:
  /// Calls back, never at once, when the bytes have arrived; without bytes, after the latency.
  virtual void transfer(Rank from, Rank to, Bytes bytes, std::function<void()> arrived) = 0;

  /// What the transfers so far carried, counted on each link that they crossed; in order of tier name.
  virtual std::vector<std::pair<std::string, Bytes>> tier_bytes() const = 0;

  /// The longest that one of the links would need for its bytes alone.
  virtual double busiest_link_s() const = 0;
};

}  // namespace traincast
