// What a replay will cost, told before it starts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platforms/topology.hpp"
#include "simulator/step/engine.hpp"
#include "simulator/step/step_program.hpp"

namespace traincast {

/// More transfers in a step than these are too many for SimGrid where a faster engine may be taken: at 7 to
/// 16 µs each, they take about a second.
inline constexpr std::uint64_t kAffordableBySimGrid = 100'000;

std::vector<const Schedule*> schedules_of(const StepProgram& program);

/// Counting ends above the limit.
std::uint64_t count_transfers(std::span<const Schedule* const> schedules, std::uint64_t limit);

struct ReplayEstimate {
  std::uint64_t transfers = 0;
  double cpu_s = 0;
};

/// The engine is the one that the replay will take. Flows that share links cost from a fraction of a
/// microsecond to several, so where there are many the first of them are tried here.
ReplayEstimate estimate_replay(const StepProgram& program, const Topology& topology, Engine engine);

}  // namespace traincast
