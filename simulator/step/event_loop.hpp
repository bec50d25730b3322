// Simulated time: a clock, and what happens later.
#pragma once

#include <functional>

namespace traincast {

class EventLoop {
 public:
  virtual ~EventLoop() = default;

  virtual double now() const = 0;  ///< seconds since the start

  /// Calls back that much later, never at once; calls for the same moment come in the order in which they
  /// were asked for.
  virtual void after(double seconds, std::function<void()> then) = 0;

  /// Until nothing is left to happen. What a callback throws ends it.
  virtual void run() = 0;
};

}  // namespace traincast
