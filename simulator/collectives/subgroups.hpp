// Collectives that run among sub-groups of the ranks, as one schedule of all ranks.
#pragma once

#include <memory>
#include <vector>

#include "simulator/collectives/collective_catalog.hpp"

namespace traincast {

/// What one sub-group carries of a collective that is written down for all ranks.
Collective part_of(const Collective& all, const Subgroups& members, std::uint32_t group);

/// The network as ranks of one sub-group see it while all sub-groups send.
NetworkEstimate as_subgroups_see(const NetworkEstimate& network, const Subgroups& members);

/// The schedule of each sub-group, in the order of groups, all at once.
std::unique_ptr<Schedule> side_by_side(std::vector<std::shared_ptr<const Schedule>> schedules,
                                       const Subgroups& members);

}  // namespace traincast
