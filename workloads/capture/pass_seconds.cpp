#include "workloads/capture/pass_seconds.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/median.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

constexpr double kEnough_s = 1;
constexpr std::uint32_t kMost = 64;

// Of this thread alone: with one thread for each learner, LibTorch and OpenBLAS compute in the calling one.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

PassSeconds pass_seconds(const CaptureRequest& request, std::uint32_t least) {
  auto data = make_dataset(request.parameters.choice("data"), request.model, request.seed);
  CaptureRequest here = request;
  here.device = Device::cpu;
  refuse_what_does_not_fit(here, *data, {}, peak_memory());
  use_one_thread_each();
  keep_blas_to_one_thread();
  const auto batch_size = static_cast<std::uint64_t>(request.parameters.count("batch"));
  const Shards shards(*data, read_training(request.parameters).shards, request.learners,
                      static_cast<std::uint64_t>(request.parameters.count("samples_per_learner")), batch_size,
                      request.seed);
  Network network({.model = request.model, .seed = request.seed, .device = Device::cpu});
  auto replica = network.replica();
  std::vector<double> data_seconds, pass_seconds;
  Batch batch;
  double sum = 0;
  for (std::uint32_t i = 0; i <= least || (i <= kMost && sum < kEnough_s); ++i) {
    const double begin = processor_seconds();
    shards.fill(i % request.learners, i / request.learners, batch);
    const double filled = processor_seconds();
    replica->run(batch);
    const double end = processor_seconds();
    if (i == 0) continue;  // pays for compiling kernels and for memory
    data_seconds.push_back(filled - begin);
    pass_seconds.push_back(end - filled);
    sum += end - begin;
  }
  const auto passes = static_cast<std::uint32_t>(pass_seconds.size());
  return {median(std::move(data_seconds)), median(std::move(pass_seconds)), passes};
}

Json describe_passes(const CaptureRequest& request, const PassSeconds& seconds) {
  Json json;
  json["format"] = 1;
  json["workload"] = request.parameters.resolved();
  json["parameters"] = request.model.parameters();
  json["device"] = cpu_name();
  json["passes"] = seconds.passes;
  json["data_cpu_s"] = seconds.data;
  json["pass_cpu_s"] = seconds.pass;
  return json;
}

}  // namespace traincast
