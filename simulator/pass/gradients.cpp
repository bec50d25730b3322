#include "simulator/pass/gradients.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/sha256.hpp"

extern char** environ;

namespace traincast {

namespace {

namespace fs = std::filesystem;

fs::path capture_program() {
  std::error_code error;
  fs::path self = fs::read_symlink("/proc/self/exe", error);
  fs::path beside = self.parent_path() / "traincast-capture";
  if (error || !fs::exists(beside))
    throw InputError("/gradients: live gradients need the program 'traincast-capture' beside this one (" +
                     beside.string() +
                     "), and it is not there; build it with -DTRAINCAST_CAPTURE=ON, or use a trace");
  return beside;
}

void run_program(const std::vector<std::string>& arguments) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t child = 0;
  if (int error = posix_spawn(&child, raw[0], nullptr, nullptr, raw.data(), environ))
    throw SimulationError(arguments[0] + " could not be started: " + std::strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw SimulationError("lost track of " + arguments[0] + ": " + std::strerror(errno));
  if (WIFSIGNALED(status))
    throw SimulationError("traincast-capture was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
                          strsignal(WTERMSIG(status)) + ")");
  if (WEXITSTATUS(status) == kBadInput)
    throw InputError("traincast-capture refused the workload (see above)");
  if (WEXITSTATUS(status) != 0)
    throw SimulationError("traincast-capture ended with exit code " + std::to_string(WEXITSTATUS(status)) +
                          " (see above)");
}

}  // namespace

Gradients::Gradients(std::span<const Point* const> points, const fs::path& scenario_folder,
                     const RunPlace& place) {
  std::uint32_t learners = 0;
  std::uint64_t steps = 0;
  const Scenario& first = points.front()->scenario;
  for (const Point* point : points) {
    learners = std::max(learners, point->scenario.learners);
    steps = std::max(steps, point->scenario.steps);
  }
  if (first.gradients.entry->make == GradientSourceKind::trace) {
    fs::path folder = scenario_folder / first.gradients.parameters.word("path");
    trace_ = std::make_unique<TraceReader>(folder.string(), place.threads);
    if (manifest().learners < learners)
      throw InputError("/learners: the trace " + folder.string() + " has " +
                       std::to_string(manifest().learners) + " learners, and the scenario asks for " +
                       std::to_string(learners));
    if (manifest().steps.size() < steps)
      throw InputError("/steps: the trace " + folder.string() + " has " +
                       std::to_string(manifest().steps.size()) + " steps, and the scenario asks for " +
                       std::to_string(steps));
    return;
  }

  std::string workload = first.workload->parameters.resolved().dump(-1);
  std::string job = workload + " " + std::to_string(learners) + " " + std::to_string(steps) + " " +
                    std::to_string(first.seed);
  std::string name = ".gradients-" + sha256_hex(job).substr(0, 16);
  if (place.out.empty()) {
    std::string pattern = (fs::temp_directory_path() / "traincast-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw InputError(pattern + ": cannot be made: " + std::strerror(errno));
    temporary_.reset(new fs::path(pattern));
  } else {
    temporary_.reset(new fs::path(place.out / name));
  }
  fs::path folder = *temporary_ / "trace";
  if (!fs::exists(folder / "manifest.json")) {
    fs::remove_all(folder);
    fs::create_directories(*temporary_);
    std::vector<std::string> arguments{capture_program().string(),
                                       "--workload",
                                       workload,
                                       "--learners",
                                       std::to_string(learners),
                                       "--steps",
                                       std::to_string(steps),
                                       "--seed",
                                       std::to_string(first.seed),
                                       "--threads",
                                       std::to_string(place.threads),
                                       "--out",
                                       folder.string()};
    if (place.quiet) arguments.emplace_back("--quiet");
    run_program(arguments);
  }
  trace_ = std::make_unique<TraceReader>(folder.string(), place.threads);
}

void Gradients::RemoveFolder::operator()(const fs::path* folder) const {
  std::error_code ignored;
  fs::remove_all(*folder, ignored);
  delete folder;
}

}  // namespace traincast
