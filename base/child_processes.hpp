// Work in child processes: a function runs in a fork of this process, and what it returns comes back.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace traincast {

/// Runs task(0) … task(count − 1), each in a child of its own, at most `at_once` at a time; their results in
/// order. `done` is called here after each, in the order in which they end. What a task throws is thrown
/// here: InputError and SimulationError as such, others as SimulationError; likewise where a child is killed.
/// The children still running are killed then. Throws SimulationError where this process has several threads:
/// a fork would copy their locks but not them.
std::vector<std::string> run_in_children(std::size_t count, unsigned at_once,
                                         const std::function<std::string(std::size_t)>& task,
                                         const std::function<void(std::size_t)>& done);

}  // namespace traincast
