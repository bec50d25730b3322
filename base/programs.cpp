#include "base/programs.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"

namespace traincast {

namespace {

// In the child, between fork and exec.
[[noreturn]] void become(const ProgramCall& call, std::vector<char*>& arguments, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  bool ready = ::getppid() == parent;
  if (!call.folder.empty()) ready = ready && ::chdir(call.folder.c_str()) == 0;
  if (!call.log.empty()) {
    int log = ::open(call.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ready = ready && log >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0;
  }
  if (ready) ::execvp(arguments[0], arguments.data());
  ::_exit(kNotStarted);
}

}  // namespace

ProgramEnd run_program(const ProgramCall& call) {
  std::vector<char*> arguments;
  for (const std::string& argument : call.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) throw SimulationError(call.arguments[0] + " could not be started: " + std::strerror(errno));
  if (child == 0) become(call, arguments, parent);
  int status = 0;
  bool told = false;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw SimulationError("lost track of " + call.arguments[0] + ": " + std::strerror(errno));
    // A signal to this process alone (kill, not Ctrl-C) is passed on; the child then tidies up.
    if (interrupted() && !std::exchange(told, true)) ::kill(child, SIGTERM);
  }
  throw_if_interrupted();
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace traincast
