// The interface of a network: it builds SimGrid hosts and links in the process that it runs in. Public
// headers name no SimGrid type that they do not forward-declare.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/catalog.hpp"
#include "platforms/cluster.hpp"

namespace simgrid::s4u {
class Host;
class NetZone;
}  // namespace simgrid::s4u

namespace traincast {

class Topology {
 public:
  virtual ~Topology() = default;

  /// "" or why it cannot hold this many learners.
  virtual std::string refuses(std::uint32_t learners) const = 0;

  /// Creates the root zone with hosts "0" … "N−1" and all links, with zero latency: SimGrid would otherwise
  /// weigh flows by route latency. Fills `links`, so that a SimGrid link's name leads to tier and true
  /// latency.
  virtual simgrid::s4u::NetZone* build(std::uint32_t learners, std::vector<Link>& links) const = 0;

  /// For choosing algorithms: latency of the longest route, bandwidth of the narrowest link between two
  /// learners, and how many neighbouring learners share such a link.
  virtual double longest_latency(std::uint32_t learners) const = 0;
  virtual double narrowest_bandwidth(std::uint32_t learners) const = 0;
  virtual std::uint32_t sharing(std::uint32_t learners) const = 0;
};

using MakeTopology = std::unique_ptr<Topology> (*)(const Parameters&);

/// Topologies by name. Every one has a parameter "bandwidth": the network between machines, which break-even
/// searches vary.
const Catalog<MakeTopology>& topology_catalog();

}  // namespace traincast
