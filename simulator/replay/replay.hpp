// Replays step programs on a topology. The SimGrid engine: every transfer is a flow.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "platforms/topology.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// SimGrid allows one engine per process, so each call runs in a child process of its own; call it only while
/// this process has a single thread. Throws SimulationError where a step cannot end, naming who waits for
/// what.
Timeline replay_step(const StepProgram& program, const Topology& topology);

/// One collective alone: learner r enters at starts[r]. The moment at which each learner has finished.
struct CollectiveTimes {
  std::vector<double> finish_s;
  Timeline timeline;  ///< bytes and transfers only
};
CollectiveTimes replay_collective(const Schedule& schedule, const Topology& topology,
                                  const std::vector<double>& starts);

/// "3.32"
std::string simgrid_version();

/// Several steps, at most `at_once` children at a time; results in order. `done` is called after each.
std::vector<Timeline> replay_steps(std::span<const StepProgram> programs,
                                   std::span<const Topology* const> topologies, unsigned at_once,
                                   const std::function<void(std::size_t)>& done);

}  // namespace traincast
