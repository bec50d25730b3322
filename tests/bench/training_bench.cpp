// What a learner's step costs in training with the method in the loop, as a multiple of its bare forward and
// backward pass in the same run. The processor's time, so that other work on the machine counts little: of
// the learners' process, and of this one, which compresses and applies.
#include <ctime>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "simulator/pass/gradients.hpp"
#include "simulator/point_report.hpp"
#include "simulator/training/training_run.hpp"
#include "workloads/capture/capture_options.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/pass_seconds.hpp"

namespace traincast {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_of_process(pid_t process) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(process, &clock); error != 0)
    throw SimulationError(std::string("no clock of the learners' process: ") + std::strerror(error));
  return seconds_of(clock);
}

struct Case {
  const char* workload;
  std::uint32_t learners;
  std::uint64_t steps;  ///< timed, behind one that is not
};

// Passes of 15 ms and more, then shorter ones.
constexpr Case kCases[] = {
    {R"({"name": "convnet", "batch": 16})", 64, 4}, {R"({"name": "convnet", "batch": 32})", 64, 2},
    {R"({"name": "resnet20", "batch": 4})", 64, 2}, {R"({"name": "mlp", "batch": 32})", 64, 16},
    {R"({"name": "mlp", "batch": 512})", 64, 4},    {R"({"name": "convnet", "batch": 8})", 256, 2},
};
constexpr const char* kMethods[] = {R"({"name": "none"})", R"({"name": "topk", "density": 0.001})",
                                    R"({"name": "scalecom", "rate": 100})",
                                    R"({"name": "powersgd", "rank": 2})"};

PassSeconds bare(const char* workload) {
  constexpr std::uint32_t kPasses = 32;
  return pass_seconds(
      parse_command_line(std::vector<const char*>{"--workload", workload, "--time", "unused"})->request,
      kPasses);
}

Point point_of(const Case& of, const char* method) {
  Json document = Json::parse(R"({
    "name": "bench", "accelerator": "v100",
    "training": {"name": "sync_sgd", "evaluation_samples": 1, "evaluate_every": 1000000},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})",
                              "bench");
  document["learners"] = of.learners;
  document["steps"] = 1 + of.steps;
  document["workload"] = Json::parse(of.workload, "bench");
  document["compressor"] = Json::parse(method, "bench");
  return make_plan(document, "./bench", {}).points.front();
}

struct Seconds {
  double learners = 0, method = 0;
};

/// Of a learner's step.
Seconds seconds_in_the_loop(const Case& of, const Scenario& scenario) {
  pid_t process = -1;
  Seconds begin, end;
  TrainingPlace place;
  place.program = capture_program().string();
  place.make_world = [&](WorldOptions options) {
    auto world = std::make_unique<LearnerWorld>(std::move(options));
    process = world->process();
    return world;
  };
  place.progress = [&](std::uint64_t done) {
    const Seconds now{seconds_of_process(process), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
    (done == 1 ? begin : end) = now;
  };
  const auto& workload = *scenario.workload;
  train(scenario, workload.entry->make(workload.parameters).layers, place);
  const double steps = of.learners * static_cast<double>(of.steps);
  return {(end.learners - begin.learners) / steps, (end.method - begin.method) / steps};
}

void measure(const Case& of) {
  for (const char* method : kMethods) {
    const Point point = point_of(of, method);
    // Before and after, for the machine changes under other work.
    const PassSeconds before = bare(of.workload);
    const Seconds loop = seconds_in_the_loop(of, point.scenario);
    const PassSeconds after = bare(of.workload);
    const double pass = (before.pass + after.pass) / 2, data = (before.data + after.data) / 2;
    std::printf("%-9s %5lld %8u  %-20s %7.3f %8.3f %9.3f %8.3f %6.3f\n",
                point.scenario.workload->entry->name.data(),
                static_cast<long long>(point.scenario.workload->parameters.count("batch")), of.learners,
                label_of(point).c_str(), 1e3 * data, 1e3 * pass, 1e3 * loop.learners, 1e3 * loop.method,
                (loop.learners + loop.method - data) / pass);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace traincast

int main() {
  try {
    traincast::keep_heap();  // as traincast-capture does
    std::printf("milliseconds of the processor, of one learner and step\n");
    std::printf(
        "workload  batch learners  method                  data     pass  learners   method  ratio\n");
    for (const auto& of : traincast::kCases) traincast::measure(of);
    return traincast::kSuccess;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return traincast::kBadInput;
  }
}
