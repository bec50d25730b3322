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
#include "base/median.hpp"
#include "workloads/capture/capture.hpp"
#include "workloads/capture/capture_options.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/pass_seconds.hpp"

namespace traincast {
namespace {

namespace fs = std::filesystem;

double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
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
  double step = 0, beginning = 0;  ///< of a learner's step; until the first learner is done
};

/// Of `steps` in the middle of a capture that stores all steps, or the last one only.
Cost cost_of(CaptureRequest request, std::uint64_t steps, bool stored) {
  fs::remove_all(request.out);
  request.steps = steps + 2;
  if (!stored) request.windows = {{steps + 1, steps + 1}};
  const std::atomic<bool> stop{false};
  const double start = now();
  double first = 0, begin = 0, end = 0;
  capture(request, stop, [&](std::uint64_t step, std::uint32_t done, double) {
    if (first == 0) first = now();
    if (done < request.learners) return;
    if (step == 0) begin = now();
    if (step == steps) end = now();
  });
  return {(end - begin) / (request.learners * static_cast<double>(steps)), first - start};
}

struct Round {
  double data = 0, pass = 0, step = 0, storing = 0, start = 0;
  double ratio = 0, with_data = 0;  ///< to the bare pass, of the step without the making of data and with it
};

Round round_of(const CaptureRequest& request) {
  const PassSeconds before = pass_seconds(request, 64);
  const std::uint64_t steps = request.learners >= 512 ? 1 : 4;
  const Cost not_stored = cost_of(request, steps, false), all = cost_of(request, steps, true);
  const PassSeconds after = pass_seconds(request, 64);
  Round round{.data = (before.data + after.data) / 2,
              .pass = (before.pass + after.pass) / 2,
              .step = not_stored.step,
              .storing = all.step - not_stored.step,
              .start = not_stored.beginning};
  round.ratio = (round.step - round.data) / round.pass;
  round.with_data = round.step / round.pass;
  return round;
}

// Medians, for what else the machine does comes and goes.
void measure(const std::string& workload, std::uint32_t learners, const fs::path& folder) {
  const CaptureRequest request = request_for(workload, learners, folder / "trace");
  std::vector<Round> rounds;
  for (std::size_t i = learners >= 512 ? 4 : 0; i < 5; ++i) rounds.push_back(round_of(request));
  auto median_of = [&](double Round::*of) {
    std::vector<double> values;
    for (const Round& round : rounds) values.push_back(round.*of);
    return median(std::move(values));
  };
  const auto [least, most] = std::ranges::minmax(rounds, {}, &Round::ratio);
  std::printf("%-8s %8u %9.3f %10.3f %9.3f %6.2f %4.2f-%4.2f %9.2f %9.3f %9.3f\n", request.workload.c_str(),
              learners, 1e3 * median_of(&Round::data), 1e3 * median_of(&Round::pass),
              1e3 * median_of(&Round::step), median_of(&Round::ratio), least.ratio, most.ratio,
              median_of(&Round::with_data), 1e3 * median_of(&Round::storing), 1e3 * median_of(&Round::start));
  std::fflush(stdout);
}

// Of one workload, where its name is given.
int run(const std::string& only) {
  use_one_thread_each();
  keep_heap();  // as traincast-capture does
  keep_blas_to_one_thread();
  std::string folder = (fs::temp_directory_path() / "traincast-bench-XXXXXX").string();
  if (!mkdtemp(folder.data())) throw InputError(folder + ": cannot be made");
  std::printf("milliseconds of the processor, of one learner and step; start-up once\n");
  std::printf(
      "workload learners      data forw.+back.      step  ratio    range with data   storing  start-up\n");
  for (std::uint32_t learners : {8u, 64u, 1024u})
    for (const std::string name : {"mlp", "convnet"})
      if (only.empty() || only == name)
        measure(R"({"name": ")" + name + R"(", "batch": 32})", learners, folder);
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace traincast

int main(int count, char** values) {
  try {
    return traincast::run(count > 1 ? values[1] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return traincast::kBadInput;
  }
}
