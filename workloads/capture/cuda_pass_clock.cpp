// CUDA's events around a pass, and what its runtime says of the device: built with TRAINCAST_CUDA only.
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "base/error.hpp"
#include "workloads/capture/pass_clock.hpp"

namespace traincast {

namespace {

void check(cudaError_t status) {
  if (status != cudaSuccess) throw SimulationError(std::string("cuda: ") + cudaGetErrorString(status));
}

class Event {
 public:
  Event() { check(cudaEventCreate(&event_)); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record() { check(cudaEventRecord(event_, c10::cuda::getCurrentCUDAStream().stream())); }
  void wait() const { check(cudaEventSynchronize(event_)); }
  double seconds_since(const Event& earlier) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_));
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  cudaEvent_t event_{};
};

class CudaPassClock : public PassClock {
 public:
  explicit CudaPassClock(std::size_t tensors) : ready_(tensors) {}
  void begin_forward() override { forward_.record(); }
  void begin_backward() override { backward_.record(); }
  void ready(std::size_t tensor) override { ready_[tensor].record(); }
  PassTimes times() override {
    for (const Event& event : ready_) event.wait();
    PassTimes all{.forward_s = backward_.seconds_since(forward_), .ready_s = {}};
    for (const Event& event : ready_) all.ready_s.push_back(event.seconds_since(backward_));
    return all;
  }

 private:
  Event forward_, backward_;
  std::vector<Event> ready_;
};

}  // namespace

std::unique_ptr<PassClock> make_cuda_pass_clock(std::size_t tensors) {
  return std::make_unique<CudaPassClock>(tensors);
}

std::string cuda_device_name() {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, c10::cuda::current_device()));
  return properties.name;
}

std::string cuda_runtime_version() {
  int version = 0;
  check(cudaRuntimeGetVersion(&version));
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

double cuda_bytes_free() {
  std::size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all));
  return static_cast<double>(free);
}

}  // namespace traincast
