#include "base/child_processes.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <utility>

#include "base/error.hpp"
#include "base/serial.hpp"

namespace traincast {

namespace {

enum class Outcome : std::uint8_t { result, input_error, simulation_error };

[[noreturn]] void fail(const std::string& what) {
  throw SimulationError("replay: " + what + ": " + std::strerror(errno));
}

int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("Threads:", 0) == 0) return std::stoi(line.substr(8));
  return 1;
}

void write_all(int descriptor, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    ssize_t written = ::write(descriptor, bytes.data() + at, bytes.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the parent is gone, or sees that the end is missing
    at += static_cast<std::size_t>(written);
  }
}

std::string outcome_of(const std::function<std::string()>& task) {
  Writer writer;
  auto put = [&](Outcome outcome, std::string_view text) {
    writer.put(outcome);
    writer.put_text(text);
  };
  try {
    put(Outcome::result, task());
  } catch (const InputError& error) {
    put(Outcome::input_error, error.what());
  } catch (const SimulationError& error) {
    put(Outcome::simulation_error, error.what());
  } catch (const std::exception& error) {
    put(Outcome::simulation_error, std::string("replay: ") + error.what());
  }
  return writer.bytes();
}

class Child {
 public:
  explicit Child(const std::function<std::string()>& task) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("no pipe to a child process");
    // What this process has yet to print must not be printed by the child as well, where a library flushes.
    std::cout.flush();
    std::fflush(nullptr);
    pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      fail("no child process");
    }
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(0);
      ::close(ends[0]);
      write_all(ends[1], outcome_of(task));
      // Not exit(): the parent's exit handlers and unwritten output are the parent's.
      ::_exit(0);
    }
    ::close(ends[1]);
    descriptor_ = ends[0];
  }

  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        received_(std::move(other.received_)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(received_, other.received_);
    return *this;
  }

  ~Child() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      reap();
    }
  }

  int descriptor() const { return descriptor_; }

  /// False at the end.
  bool receive() {
    char buffer[65536];
    ssize_t size = ::read(descriptor_, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) return true;
    if (size < 0) fail("cannot read from a child process");
    received_.append(buffer, static_cast<std::size_t>(size));
    return size > 0;
  }

  std::string result() {
    int status = reap();
    if (WIFSIGNALED(status))
      throw SimulationError("replay: a child process was killed by signal " +
                            std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")");
    if (received_.empty())
      throw SimulationError("replay: a child process ended without a result, with exit code " +
                            std::to_string(WEXITSTATUS(status)));
    Reader reader(received_);
    auto outcome = reader.get<Outcome>();
    std::string text = reader.get_text();
    if (outcome == Outcome::input_error) throw InputError(text);
    if (outcome == Outcome::simulation_error) throw SimulationError(text);
    return text;
  }

 private:
  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  pid_t pid_ = -1;
  int descriptor_ = -1;
  std::string received_;
};

}  // namespace

std::vector<std::string> run_in_children(std::size_t count, unsigned at_once,
                                         const std::function<std::string(std::size_t)>& task,
                                         const std::function<void(std::size_t)>& done) {
  struct Running {
    std::size_t index;
    Child child;
  };
  std::vector<std::string> results(count);
  std::vector<Running> running;
  for (std::size_t next = 0; next < count || !running.empty();) {
    while (next < count && running.size() < std::max(1U, at_once)) {
      if (int threads = threads_of_this_process(); threads > 1)
        throw SimulationError("replay: a child process cannot be started while this process has " +
                              std::to_string(threads) +
                              " threads; replay before they start or after they end");
      running.push_back({next, Child([&] { return task(next); })});
      ++next;
    }
    std::vector<pollfd> waits;
    for (const Running& one : running) waits.push_back({one.child.descriptor(), POLLIN, 0});
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      fail("cannot wait for child processes");
    }
    for (std::size_t i = running.size(); i-- > 0;) {
      if (waits[i].revents == 0 || running[i].child.receive()) continue;
      std::size_t index = running[i].index;
      results[index] = running[i].child.result();
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      if (done) done(index);
    }
  }
  return results;
}

}  // namespace traincast
