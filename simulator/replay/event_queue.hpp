// Callbacks in order of time, and of asking where times are equal.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace traincast {

class EventQueue {
 public:
  void push(double time, std::function<void()> then) {
    std::uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(callbacks_.size());
      callbacks_.push_back(std::move(then));
    } else {
      slot = free_.back();
      free_.pop_back();
      callbacks_[slot] = std::move(then);
    }
    events_.push({time, next_++, slot});
  }

  /// Infinite without events.
  double next_time() const {
    return events_.empty() ? std::numeric_limits<double>::infinity() : events_.top().time;
  }

  std::function<void()> pop() {
    std::uint32_t slot = events_.top().slot;
    events_.pop();
    free_.push_back(slot);
    return std::exchange(callbacks_[slot], nullptr);
  }

 private:
  struct Event {
    double time;
    std::uint64_t number;
    std::uint32_t slot;
    bool operator<(const Event& other) const {  // the greatest of a priority_queue is its first
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  std::priority_queue<Event> events_;
  std::vector<std::function<void()>> callbacks_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_ = 0;
};

}  // namespace traincast
