// The three ways a run can end badly, and the exit codes that tell them apart.
#pragma once

#include <stdexcept>
#include <string>

namespace traincast {

/// What the user gave is wrong: a scenario, an option, a file. The message names the place, the value and the
/// way out.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The input was accepted but the simulation could not be carried to its end (a deadlock, a child that died).
struct SimulationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum ExitCode : int { kSuccess = 0, kCheckFailed = 1, kBadInput = 2, kSimulationFailed = 3 };

}  // namespace traincast
