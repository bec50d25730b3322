// A program that runs beside this one and answers its questions: small messages through a socket, large
// arrays in shared memory.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_memory.hpp"

namespace traincast {

/// The asking side. The program never outlives it.
class LinkedProgram {
 public:
  /// Starts the program of arguments[0] with a link to this process and this memory. Call it only while this
  /// process has a single thread. Throws SimulationError where no child can be made.
  LinkedProgram(std::vector<std::string> arguments, const SharedMemory& memory);
  LinkedProgram(const LinkedProgram&) = delete;
  LinkedProgram& operator=(const LinkedProgram&) = delete;
  ~LinkedProgram();

  /// The answer to one question. An interrupt does not cut it short. Throws what the program answered with
  /// (InputError, SimulationError), InputError where it has refused to run, and SimulationError with the
  /// reason where it has ended otherwise.
  std::string ask(std::string_view question);

  pid_t process() const { return child_; }

 private:
  [[noreturn]] void report_end();

  std::string name_;
  pid_t child_ = -1;
  int socket_ = -1;
};

/// The answering side: gives `answer` of each question, until the other side is gone. What `answer` throws is
/// thrown at the other side. Throws InputError where this process was not started by a LinkedProgram.
void serve_link(
    const std::function<std::string(std::string_view question, std::span<std::byte> memory)>& answer);

}  // namespace traincast
