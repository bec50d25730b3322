// From training runs and the times of their steps to curves over simulated time.
#pragma once

#include <vector>

#include "simulator/study.hpp"

namespace traincast {

/// The run of this scenario for each of its seeds: one, the scenario itself, where there is no training.
std::vector<Scenario> by_seed(const Scenario& scenario);

/// `runs` are the replayed requests of by_seed().
TrainingResult training_result(Study& study, const std::vector<Study::Request>& runs);

}  // namespace traincast
