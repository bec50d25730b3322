// Where a learner's time goes: every moment from the start to its end counts as exactly one thing.
#pragma once

#include <array>
#include <cstddef>

namespace traincast {

class LearnerClock {
 public:
  enum class Kind { compute, encode, decode, communication, wait };

  /// What has passed since the last call counts as the kind named then.
  void turn(double now, Kind next) {
    spent_[static_cast<std::size_t>(kind_)] += now - since_;
    since_ = now;
    kind_ = next;
  }
  void stop(double now) {
    turn(now, kind_);
    stopped_ = true;
  }

  Kind kind() const { return kind_; }
  bool stopped() const { return stopped_; }
  double end() const { return since_; }
  double spent(Kind kind) const { return spent_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<double, 5> spent_{};
  double since_ = 0;
  Kind kind_ = Kind::wait;
  bool stopped_ = false;
};

}  // namespace traincast
