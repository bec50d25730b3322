// From which bandwidth on a method pays.
#pragma once

#include <span>
#include <vector>

#include "analysis/report.hpp"
#include "simulator/study.hpp"

namespace traincast {

/// For each method and place among the points, at the most learners there: between which bandwidths its step
/// is shorter than the best dense one's. Tried at every octave from 100 Mb/s to 1 Tb/s, and halved to an
/// eighth of one where the winner changes. Messages and times are those of the first step.
std::vector<BreakEven> search_break_evens(Study& study, std::span<const Point* const> points);

}  // namespace traincast
