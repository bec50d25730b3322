// Time in which nothing happens but what was asked for: no network.
#pragma once

#include "simulator/replay/event_queue.hpp"
#include "simulator/step/event_loop.hpp"

namespace traincast {

class VirtualTime : public EventLoop {
 public:
  double now() const override { return now_; }
  void after(double seconds, std::function<void()> then) override {
    events_.push(now_ + seconds, std::move(then));
  }
  void run() override {
    while (events_.next_time() < std::numeric_limits<double>::infinity()) {
      now_ = events_.next_time();
      events_.pop()();
    }
  }

 private:
  EventQueue events_;
  double now_ = 0;
};

}  // namespace traincast
