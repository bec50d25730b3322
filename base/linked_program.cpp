#include "base/linked_program.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/programs.hpp"
#include "base/serial.hpp"

namespace traincast {

namespace {

// What the started program finds open.
constexpr int kSocket = 3, kMemory = 4;

enum class Answer : std::uint8_t { result, input_error, simulation_error };

/// False where the other side is gone.
bool write_all(int socket, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t sent = ::send(socket, from, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool read_all(int socket, void* data, std::size_t size) {
  char* to = static_cast<char*>(data);
  while (size > 0) {
    ssize_t got = ::recv(socket, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_message(int socket, std::string_view text) {
  std::uint64_t size = text.size();
  return write_all(socket, &size, sizeof size) && write_all(socket, text.data(), text.size());
}

std::optional<std::string> receive_message(int socket) {
  std::uint64_t size = 0;
  if (!read_all(socket, &size, sizeof size)) return std::nullopt;
  std::string text(size, '\0');
  if (!read_all(socket, text.data(), size)) return std::nullopt;
  return text;
}

// In the child, between fork and exec: nothing here may allocate.
[[noreturn]] void become(char* const* arguments, int socket, int memory, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGINT, SIG_IGN);  // Ctrl-C is for the asking side, which may have a step to finish
  // Out of the way first: each may have the other's final number.
  constexpr int kFree = 10;
  socket = ::fcntl(socket, F_DUPFD_CLOEXEC, kFree);
  memory = ::fcntl(memory, F_DUPFD_CLOEXEC, kFree);
  bool ready = ::getppid() == parent && socket >= 0 && memory >= 0 && ::dup2(socket, kSocket) >= 0 &&
               ::dup2(memory, kMemory) >= 0;
  if (ready) ::execv(arguments[0], arguments);
  ::_exit(kNotStarted);
}

}  // namespace

LinkedProgram::LinkedProgram(std::vector<std::string> arguments, const SharedMemory& memory)
    : name_(arguments[0].substr(arguments[0].rfind('/') + 1)) {
  std::vector<char*> values;
  for (std::string& argument : arguments) values.push_back(argument.data());
  values.push_back(nullptr);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw SimulationError("no socket for " + name_ + ": " + std::strerror(errno));
  pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become(values.data(), ends[1], memory.descriptor(), parent);
  int error = errno;
  ::close(ends[1]);
  socket_ = ends[0];
  if (child_ > 0) return;
  ::close(socket_);
  throw SimulationError(name_ + " could not be started: " + std::strerror(error));
}

LinkedProgram::~LinkedProgram() {
  if (socket_ >= 0) ::close(socket_);
  if (child_ <= 0) return;
  // It holds nothing that would have to be tidied up.
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void LinkedProgram::report_end() {
  int status = 0;
  pid_t child = std::exchange(child_, -1), ended = 0;
  while ((ended = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  throw_if_interrupted();  // what ended both is no failure of one
  if (ended > 0 && WIFSIGNALED(status))
    throw SimulationError(name_ + " was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
                          ::strsignal(WTERMSIG(status)) + ")");
  if (ended > 0 && WEXITSTATUS(status) == kBadInput)
    throw InputError(name_ + " refused what it was started with (see above)");
  throw SimulationError(name_ + " ended with exit code " + std::to_string(WEXITSTATUS(status)) +
                        " before it answered");
}

std::string LinkedProgram::ask(std::string_view question) {
  if (child_ < 0) throw SimulationError(name_ + " has ended");
  std::optional<std::string> message;
  if (send_message(socket_, question)) message = receive_message(socket_);
  if (!message || message->empty()) report_end();
  std::string answer = message->substr(1);
  auto outcome = static_cast<Answer>(message->front());
  if (outcome == Answer::input_error) throw InputError(answer);
  if (outcome == Answer::simulation_error) throw SimulationError(answer);
  return answer;
}

void serve_link(
    const std::function<std::string(std::string_view question, std::span<std::byte> memory)>& answer) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    throw InputError("there is nobody to serve: another program starts this one so");
  SharedMemory memory = SharedMemory::attach(kMemory);
  while (auto question = receive_message(kSocket)) {
    auto outcome = Answer::result;
    std::string text;
    try {
      text = answer(*question, memory.bytes());
    } catch (const InputError& error) {
      outcome = Answer::input_error;
      text = error.what();
    } catch (const std::exception& error) {
      outcome = Answer::simulation_error;
      text = error.what();
    }
    if (!send_message(kSocket, static_cast<char>(outcome) + text)) return;
  }
}

}  // namespace traincast
