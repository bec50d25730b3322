// Ports on one switch, whatever their speeds.
#pragma once

#include <memory>

#include "platforms/link_table.hpp"

namespace traincast {

std::unique_ptr<Cluster> make_star_cluster(std::uint32_t learners, std::vector<Link> links, Ports ports);

}  // namespace traincast
