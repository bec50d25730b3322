// Which engine replays a step, in the process that it is called in.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/step/engine.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// "simgrid", "flow", "max_plus"; "auto".
std::string_view to_string(Engine engine);

/// Throws InputError where max_plus is asked for and not proven, with the link and the two transfers that
/// could share it; SimulationError where the step cannot end, naming who waits for what. SimGrid can be
/// started once in a process.
Timeline replay_step_here(const StepProgram& program, const Cluster& cluster, Engine engine);

/// The moment at which each learner has finished.
struct CollectiveTimes {
  std::vector<double> finish_s;
  Timeline timeline;  ///< bytes, transfers and engine only
};

/// One collective alone: rank r enters at starts[r].
CollectiveTimes replay_collective_here(const Schedule& schedule, const Cluster& cluster,
                                       const std::vector<double>& starts, Engine engine,
                                       const Transport& transport = {});

}  // namespace traincast
