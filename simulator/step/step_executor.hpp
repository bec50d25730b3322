// Carries out a step program: every learner's compute queue, and the collectives that they
// share.
#pragma once

#include "simulator/step/collective_engine.hpp"
#include "simulator/step/event_loop.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// All of the timeline but `tier_bytes`, `tier_loads`, `busiest_link_s` and `engine`, which only the network
/// knows. Throws SimulationError where the program is malformed or learners cannot finish.
Timeline execute_step(const StepProgram& program, EventLoop& loop, CollectiveEngine& collectives);

/// "3 of 8 learners cannot finish: " and for whom the first of them wait.
std::string deadlock_message(std::size_t unfinished, std::size_t learners,
                             const std::vector<std::string>& waiting);

}  // namespace traincast
