// The topologies that the catalog lists, one .cpp each; their parameters stand in the catalog.
#pragma once

#include "platforms/topology.hpp"

namespace traincast {

std::unique_ptr<Topology> make_star(const Parameters& parameters);
std::unique_ptr<Topology> make_gpu_nodes(const Parameters& parameters);

}  // namespace traincast
