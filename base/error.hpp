// The three ways a run can end badly, and the exit codes that tell them apart.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace traincast {

/// What the user gave is wrong: a scenario, an option, a file. The message names the place, the value and the
/// way out.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An InputError at a place of a JSON file, kept apart so that a place can be restated (a value that a sweep
/// put there).
struct PlacedError : InputError {
  PlacedError(std::string file_name, std::string at, std::string reason)
      : InputError(file_name + (at.empty() ? "" : ":" + at) + ": " + reason),
        file(std::move(file_name)),
        pointer(std::move(at)),
        why(std::move(reason)) {}
  std::string file, pointer, why;
};

/// The input was accepted but the simulation could not be carried to its end (a deadlock, a child that died).
struct SimulationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum ExitCode : int { kSuccess = 0, kCheckFailed = 1, kBadInput = 2, kSimulationFailed = 3 };

}  // namespace traincast
