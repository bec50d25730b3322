// When things happen in one forward and backward pass, by the clock of the device that computes it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace traincast {

struct PassTimes {
  double forward_s = 0;
  std::vector<double> ready_s;  ///< by tensor, after the start of backward
};

class PassClock {
 public:
  virtual ~PassClock() = default;
  virtual void begin_forward() = 0;
  virtual void begin_backward() = 0;
  virtual void ready(std::size_t tensor) = 0;
  virtual PassTimes times() = 0;  ///< of the last pass; waits for the device
};

std::unique_ptr<PassClock> make_cpu_pass_clock(std::size_t tensors);
#ifdef TRAINCAST_WITH_CUDA
/// Marks the current stream with events: the host is long past a kernel that it has only queued.
std::unique_ptr<PassClock> make_cuda_pass_clock(std::size_t tensors);
std::string cuda_device_name();
std::string cuda_runtime_version();
double cuda_bytes_free();
#endif

}  // namespace traincast
