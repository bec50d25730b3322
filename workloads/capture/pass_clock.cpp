#include "workloads/capture/pass_clock.hpp"

#include <chrono>

namespace traincast {

namespace {

class CpuPassClock : public PassClock {
 public:
  explicit CpuPassClock(std::size_t tensors) : ready_(tensors) {}
  void begin_forward() override { forward_ = Clock::now(); }
  void begin_backward() override { backward_ = Clock::now(); }
  void ready(std::size_t tensor) override { ready_[tensor] = Clock::now(); }
  PassTimes times() override {
    PassTimes all{.forward_s = seconds(backward_ - forward_), .ready_s = {}};
    for (Clock::time_point moment : ready_) all.ready_s.push_back(seconds(moment - backward_));
    return all;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }
  Clock::time_point forward_, backward_;
  std::vector<Clock::time_point> ready_;
};

}  // namespace

std::unique_ptr<PassClock> make_cpu_pass_clock(std::size_t tensors) {
  return std::make_unique<CpuPassClock>(tensors);
}

}  // namespace traincast
