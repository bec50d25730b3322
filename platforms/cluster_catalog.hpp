// Clusters that exist, or existed: topologies with the numbers of real machines, usable by name. Numbers
// without a source are called assumptions in the entry's source.
#pragma once

#include <span>

#include "platforms/topology.hpp"

namespace traincast {

/// Part of the topology catalog; any of their numbers can be given otherwise.
std::span<const Entry<MakeTopology>> described_clusters();

}  // namespace traincast
