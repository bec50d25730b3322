// Any cluster as hosts and links of SimGrid, in the process that it is built in. No SimGrid type is named
// here that is not forward-declared.
#pragma once

#include <vector>

#include "platforms/cluster.hpp"

namespace simgrid::s4u {
class Host;
class Link;
class NetZone;
}  // namespace simgrid::s4u

namespace traincast {

/// One flat zone: SimGrid 3.32 takes a time quadratic in the number of nested ones. Links have no latency,
/// since SimGrid would weigh flows by that of their route; `cluster` must outlive this.
class SimGridPlatform {
 public:
  explicit SimGridPlatform(const Cluster& cluster);

  simgrid::s4u::Host* host(std::uint32_t learner) const { return hosts_[learner]; }

  /// Declares the route of a pair, before its first transfer; at any time, also while SimGrid runs. Once a
  /// pair.
  void connect(std::uint32_t from, std::uint32_t to, const std::vector<LinkId>& route);

 private:
  simgrid::s4u::NetZone* zone_;
  std::vector<simgrid::s4u::Host*> hosts_;
  std::vector<simgrid::s4u::Link*> links_;
};

}  // namespace traincast
