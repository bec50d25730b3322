// timeline.json: one step of the points that are worth a look, interval by interval, for a few learners.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/report.hpp"
#include "simulator/study.hpp"

namespace traincast {

/// A point of the report and its replayed steps.
struct ReplayedPoint {
  const PointReport* report = nullptr;
  const Study::Request* run = nullptr;
};

/// Replays once more, with recording, the step that is nearest to the mean of each point with the most
/// learners of its place. Recorded are the first learner, the last, the slowest, and one with more to compute
/// than others.
Json record_timelines(Study& study, std::span<const ReplayedPoint> points);

}  // namespace traincast
