// Other programs, started as children of this one and waited for.
#pragma once

#include <string>
#include <vector>

namespace traincast {

struct ProgramCall {
  std::vector<std::string>
      arguments;       ///< the first is the program: a path, or a name that PATH is searched for
  std::string folder;  ///< where it runs; empty: here
  std::string log;     ///< file for what it prints, seen from there; empty: printed here
};

struct ProgramEnd {
  int code = 0;
  int signal = 0;  ///< that ended it; 0: it ended by itself
};

/// The code of a program that could not be started.
inline constexpr int kNotStarted = 127;

/// Runs to its end. A child never outlives this process, and an interrupt of this process is passed on to it
/// and thrown here afterwards. Call it only while this process has a single thread. Throws SimulationError
/// where no child can be made.
ProgramEnd run_program(const ProgramCall& call);

}  // namespace traincast
