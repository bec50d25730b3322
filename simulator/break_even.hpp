// From which bandwidth on a method pays.
#pragma once

#include <span>
#include <vector>

#include "analysis/report.hpp"
#include "simulator/study.hpp"

namespace traincast {

/// For each method and place among the points, at the most learners there: the bandwidth between machines at
/// which its step is as long as the best dense one's, by halving between 100 Mb/s and 1 Tb/s, eight steps to
/// an octave. Messages and times are those of the first step.
std::vector<BreakEven> search_break_evens(Study& study, std::span<const Point* const> points);

}  // namespace traincast
