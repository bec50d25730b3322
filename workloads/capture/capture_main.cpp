// traincast-capture: options, signals, what is shown on the terminal, exit code.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/machine.hpp"
#include "base/units.hpp"
#include "workloads/capture/calibration.hpp"
#include "workloads/capture/capture_options.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/learner_service.hpp"
#include "workloads/capture/pass_seconds.hpp"

namespace {

std::atomic<bool> stop{false};
std::atomic<int> signal_taken{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void take_signal(int number) {
  signal_taken = number;
  stop = true;
}

void warn_of_slow_blas() {
  constexpr double slow = 5;
  double speed = traincast::blas_gflops();
  if (speed > 0 && speed < slow)
    std::fprintf(
        stderr,
        "traincast-capture: warning: the BLAS in use reaches %.1f GFLOP/s, as the reference one does; "
        "install libopenblas0-pthread for ten times that\n",
        speed);
}

int run(std::span<const char* const> arguments) {
  using namespace traincast;
  auto line = parse_command_line(arguments);
  if (!line) {
    std::fputs(capture_help().c_str(), stdout);
    return kSuccess;
  }
  const CaptureRequest& request = line->request;
  keep_heap();
  if (!line->calibrate.empty()) {
    keep_blas_to_one_thread();
    if (!line->quiet) warn_of_slow_blas();
    refuse_unwritable(line->calibrate);
    Json description = calibrate(uses_cuda(request.device));
    write_text_file(line->calibrate, description.dump() + "\n");
    if (!line->quiet)
      std::fprintf(
          stderr,
          "%s: describes '%s'; a scenario takes it as \"accelerator\": {\"name\": \"file\", \"path\": …}\n",
          line->calibrate.c_str(), description.at("device").text().c_str());
    return kSuccess;
  }
  if (!line->time.empty()) {
    constexpr std::uint32_t kLeast = 3;
    if (!line->quiet) warn_of_slow_blas();
    refuse_unwritable(line->time);
    write_text_file(line->time, describe_passes(request, pass_seconds(request, kLeast)).dump() + "\n");
    return kSuccess;
  }
  if (line->serve) {
    serve_learners(request);
    return kSuccess;
  }
  std::signal(SIGINT, take_signal);
  std::signal(SIGTERM, take_signal);
  keep_blas_to_one_thread();
  if (!line->quiet) warn_of_slow_blas();

  bool shows = !line->quiet && ::isatty(STDERR_FILENO);
  Progress progress;
  if (shows)
    progress = [&](std::uint64_t step, std::uint32_t done, double loss) {
      std::fprintf(stderr, "\rstep %llu of %llu, learner %u of %u", static_cast<unsigned long long>(step + 1),
                   static_cast<unsigned long long>(request.steps), done, request.learners);
      if (step > 0) std::fprintf(stderr, ", loss %.4f", loss);
      std::fputs("\033[K", stderr);
    };
  auto clear = [&] {
    if (shows) std::fputs("\r\033[K", stderr);
  };
  try {
    CaptureResult result = capture(request, stop, progress);
    clear();
    if (!line->quiet) {
      std::fprintf(stderr, "%s: %u learners, %llu steps, %llu parameters, %s; loss %.4f to %.4f\n",
                   request.out.c_str(), request.learners, static_cast<unsigned long long>(request.steps),
                   static_cast<unsigned long long>(result.manifest.parameters()),
                   format_bytes(static_cast<double>(trace_step_bytes(request.model.layers, request.learners,
                                                                     request.values)) *
                                static_cast<double>(recorded_steps(request)))
                       .c_str(),
                   result.losses.front(), result.losses.back());
      if (result.taken_up > 0)
        std::fprintf(stderr, "%llu steps were there already\n",
                     static_cast<unsigned long long>(result.taken_up));
      if (result.stated_memory > 0)
        std::fprintf(stderr, "memory: %s at most, of %s expected\n", format_bytes(peak_memory()).c_str(),
                     format_bytes(result.stated_memory).c_str());
    }
    return kSuccess;
  } catch (const Interrupted&) {
    clear();
    std::fprintf(stderr, "traincast-capture: interrupted; %s\n",
                 request.values == Stored::f32
                     ? ("the same command goes on with the finished steps in " + request.out).c_str()
                     : "nothing is left, for training cannot go on from rounded values");
    return 128 + signal_taken;
  } catch (...) {
    clear();
    throw;
  }
}

}  // namespace

int main(int count, char** values) {
  auto fail = [](const std::exception& error, int code) {
    std::fprintf(stderr, "traincast-capture: %s\n", error.what());
    return code;
  };
  try {
    return run({values + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)});
  } catch (const traincast::InputError& error) {
    return fail(error, traincast::kBadInput);
  } catch (const std::exception& error) {
    return fail(error, traincast::kSimulationFailed);
  }
}
