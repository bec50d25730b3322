// The collectives of the first step of a run, for those who replay them elsewhere.
#pragma once

#include <memory>
#include <vector>

#include "simulator/collectives/schedule.hpp"
#include "simulator/run.hpp"

namespace traincast {

/// Bucket by bucket, phase by phase; none for a single learner. Takes no times and replays nothing.
std::vector<std::shared_ptr<const Schedule>> first_step_collectives(const Plan& plan, const Point& point,
                                                                    const RunOptions& options);

}  // namespace traincast
