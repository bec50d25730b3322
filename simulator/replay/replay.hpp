// Replays step programs on a topology, each in a child process, by the engine of choice.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platforms/topology.hpp"
#include "simulator/replay/engines.hpp"
#include "simulator/step/engine.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// SimGrid allows one engine per process, so each call runs in a child process of its own; call it only while
/// this process has a single thread. Throws SimulationError where a step cannot end, naming who waits for
/// what, and InputError where the engine is not proven for it.
Timeline replay_step(const StepProgram& program, const Topology& topology, Engine engine = Engine::simgrid);

/// One collective alone: rank r enters at starts[r]. All ranks are learners unless their number is given;
/// the others are servers then.
CollectiveTimes replay_collective(const Schedule& schedule, const Topology& topology,
                                  const std::vector<double>& starts, Engine engine = Engine::simgrid,
                                  const Transport& transport = {},
                                  std::optional<std::uint32_t> learners = {});

/// "3.32"
std::string simgrid_version();

/// Several steps, at most `at_once` children at a time; results in order. `done` is called after each.
std::vector<Timeline> replay_steps(std::span<const StepProgram> programs,
                                   std::span<const Topology* const> topologies,
                                   std::span<const Engine> engines, unsigned at_once,
                                   const std::function<void(std::size_t)>& done);

}  // namespace traincast
