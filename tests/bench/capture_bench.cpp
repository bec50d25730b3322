// What a learner's step costs in a capture, as a multiple of its bare forward and backward pass in the same
// process: storing, start-up and the making of data apart. The processor's time of all threads, so that other
// work on the machine counts little.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "workloads/capture/capture.hpp"
#include "workloads/capture/capture_options.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

namespace fs = std::filesystem;

double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

CaptureRequest request_for(const std::string& workload, std::uint32_t learners, const fs::path& out) {
  const std::vector<std::string> words{"--workload", workload, "--learners", std::to_string(learners),
                                       "--steps",    "1",      "--threads",  "1",
                                       "--device",   "cpu",    "--out",      out.string()};
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return parse_command_line(arguments)->request;
}

struct Cost {
  double capture = 0, beginning = 0;  ///< the whole of it; until its first learner is done
};

/// With the last step stored, or all of them.
Cost cost_of(CaptureRequest request, std::uint64_t steps, bool stored) {
  fs::remove_all(request.out);
  request.steps = steps;
  if (!stored) request.windows = {{steps - 1, steps - 1}};
  const std::atomic<bool> stop{false};
  double begin = now(), first = 0;
  capture(request, stop, [&](auto, auto, auto) {
    if (first == 0) first = now();
  });
  return {now() - begin, first - begin};
}

struct Bare {
  double data = 0, pass = 0;  ///< making a mini-batch; forward and backward over it
};

Bare bare(const CaptureRequest& request, std::uint32_t passes) {
  auto data = make_dataset(request.parameters.choice("data"), request.model, request.seed);
  const Shards shards(*data, read_training(request.parameters).shards, request.learners,
                      static_cast<std::uint64_t>(request.parameters.count("samples_per_learner")),
                      static_cast<std::uint64_t>(request.parameters.count("batch")), request.seed);
  Network network({.model = request.model, .seed = request.seed, .device = Device::cpu});
  auto replica = network.replica();
  std::vector<double> data_seconds, pass_seconds;
  Batch batch;
  for (std::uint32_t i = 0; i < passes; ++i) {
    const double begin = now();
    shards.fill(i % request.learners, i / request.learners, batch);
    const double filled = now();
    replica->run(batch);
    data_seconds.push_back(filled - begin);
    pass_seconds.push_back(now() - filled);
  }
  return {median(data_seconds), median(pass_seconds)};
}

void measure(const std::string& workload, std::uint32_t learners, const fs::path& folder) {
  CaptureRequest request = request_for(workload, learners, folder / "trace");
  const auto [data, pass] = bare(request, std::max(32u, std::min(learners, 256u)));
  const std::uint64_t steps = learners >= 512 ? 1 : 4;
  // Steps beyond the first, whose like is in both.
  const double both = learners * static_cast<double>(steps);
  const Cost one = cost_of(request, 1, true), not_stored = cost_of(request, steps + 1, false),
             all = cost_of(request, steps + 1, true);
  const double step = (not_stored.capture - one.capture) / both,
               storing = (all.capture - not_stored.capture) / both;
  std::printf("%-10s %8u %10.3f %10.3f %10.3f %6.3f %10.3f %10.3f\n", request.workload.c_str(), learners,
              1e3 * data, 1e3 * pass, 1e3 * step, (step - data) / pass, 1e3 * storing, 1e3 * one.beginning);
  std::fflush(stdout);
}

int run() {
  use_one_thread_each();
  keep_blas_to_one_thread();
  std::string folder = (fs::temp_directory_path() / "traincast-bench-XXXXXX").string();
  if (!mkdtemp(folder.data())) throw InputError(folder + ": cannot be made");
  std::printf("milliseconds of the processor, of one learner and step; start-up once\n");
  std::printf("workload   learners       data forw.+back.       step  ratio    storing   start-up\n");
  for (std::uint32_t learners : {8u, 64u, 1024u})
    for (const char* workload : {R"({"name": "mlp", "batch": 32})", R"({"name": "convnet", "batch": 32})"})
      measure(workload, learners, folder);
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace traincast

int main() {
  try {
    return traincast::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return traincast::kBadInput;
  }
}
