// Which learner is where: any topology with its learners on other places.
#pragma once

#include <memory>

#include "platforms/topology.hpp"

namespace traincast {

/// By the parameters "placement" and "placement_seed". Contiguous: learner r on place r. Round robin: dealt
/// out to nodes or switches, one to each in turn. Random: on any places, a function of the seed.
std::unique_ptr<Topology> place(std::unique_ptr<Topology> topology, const Parameters& parameters);

}  // namespace traincast
