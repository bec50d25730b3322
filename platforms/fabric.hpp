// What lies between the ports of machines: the links from switch to switch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "platforms/cluster.hpp"
#include "platforms/link_table.hpp"
#include "platforms/topology.hpp"

namespace traincast {

class Fabric {
 public:
  virtual ~Fabric() = default;
  /// Adds to a route what it crosses between two ports, without the ports' own links.
  virtual void cross(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& route) const = 0;
};

class FabricKind {
 public:
  virtual ~FabricKind() = default;
  /// "" or why it cannot connect this many ports.
  virtual std::string refuses(std::uint32_t ports) const = 0;
  /// Adds its links to the table.
  virtual std::unique_ptr<Fabric> build(std::uint32_t ports, std::vector<Link>& links) const = 0;
  /// Ports of each switch that has any, in order; at least as many as asked for.
  virtual std::vector<std::uint32_t> groups(std::uint32_t ports) const = 0;
};

/// Every learner has a port of its own on the fabric.
std::unique_ptr<Topology> make_switched(LinkKind port, std::unique_ptr<FabricKind> fabric);

/// By the parameters "down", "up", "routing" and "routing_seed"; every link is of that kind.
std::unique_ptr<FabricKind> make_fat_tree_fabric(const Parameters& parameters, LinkKind link);

/// Groups of linked routers, with so many ports on each router.
struct DragonflyShape {
  std::uint64_t groups, routers, ports;  ///< in all, of a group, of a router
};
std::unique_ptr<FabricKind> make_dragonfly_fabric(DragonflyShape shape, LinkKind local, LinkKind global);

}  // namespace traincast
