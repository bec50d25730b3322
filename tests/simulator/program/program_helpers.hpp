// The program, started as a user would.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace traincast {

struct Outcome {
  int code = -1;
  std::string output;  // both streams
};

inline Outcome traincast(const std::string& arguments) {
  Outcome outcome;
  FILE* pipe = popen((TRAINCAST_BINARY_DIR "/bin/traincast " + arguments + " 2>&1").c_str(), "r");
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    outcome.output.append(buffer, got);
  int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace traincast
