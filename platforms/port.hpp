// A port: an up link and a down link of equal speed that do not slow each other.
#pragma once

#include <string>
#include <vector>

#include "platforms/cluster.hpp"

namespace simgrid::s4u {
class NetZone;
class SplitDuplexLink;
}  // namespace simgrid::s4u

namespace traincast {

struct PortKind {
  std::string tier;
  double bandwidth = 0;  ///< bytes per second, each direction
  double latency = 0;    ///< seconds, each direction
};

/// Creates the two SimGrid links, with zero latency, and adds them to `links` with the true one.
simgrid::s4u::SplitDuplexLink* create_port(simgrid::s4u::NetZone* zone, const std::string& name,
                                           const PortKind& kind, std::vector<Link>& links);

}  // namespace traincast
