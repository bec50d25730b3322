// Carries out a step program on a network: every learner's compute queue, and the one communicator that they
// share.
#pragma once

#include "simulator/step/network.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// All of the timeline but `tier_bytes`, which only the network knows. Throws SimulationError where the
/// program is malformed or learners cannot finish.
Timeline execute_step(const StepProgram& program, Network& network);

/// "3 of 8 learners cannot finish: " and for whom the first of them wait.
std::string deadlock_message(std::size_t unfinished, std::size_t learners,
                             const std::vector<std::string>& waiting);

}  // namespace traincast
