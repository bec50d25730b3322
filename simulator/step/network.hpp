// What an executor needs of a network: a clock, delays and transfers. Nothing here knows how they are
// simulated.
#pragma once

#include <functional>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

class Network {
 public:
  virtual ~Network() = default;

  virtual double now() const = 0;  ///< seconds since the start

  /// Calls back that much later, never at once; calls for the same moment come in the order in which they
  /// were asked for.
  virtual void after(double seconds, std::function<void()> then) = 0;

  /// Calls back, never at once, when the bytes have arrived; without bytes, after the latency.
  virtual void transfer(Rank from, Rank to, Bytes bytes, std::function<void()> arrived) = 0;

  /// Until nothing is left to happen. What a callback throws ends it.
  virtual void run() = 0;
};

}  // namespace traincast
