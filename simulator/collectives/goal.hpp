// Schedules as text in GOAL, the language of LogGOPSim and ATLAHS (Hoefler, Schneider, Lumsdaine 2010), so
// that others can replay what traincast timed.
#pragma once

#include <iosfwd>
#include <memory>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// Collectives one behind another, all among the same ranks, and servers behind them in some: a rank enters
/// one when it is through with the one before. A send requires what its channel sent and took before, a
/// receipt what its channel took before. The messages from one rank to another have tags 0, 1, 2 …, none
/// twice. LogGOPSim counts the gaps after the first byte of a message, so an empty one is written as one
/// byte.
void write_goal(std::ostream& out, const std::vector<std::shared_ptr<const Schedule>>& collectives);

}  // namespace traincast
