// How topologies make their links: alone, or as ports of two directions.
#pragma once

#include <string>
#include <vector>

#include "platforms/cluster.hpp"

namespace traincast {

struct LinkKind {
  std::string tier;
  double bandwidth = 0;  ///< bytes per second, each direction
  double latency = 0;    ///< seconds, each direction
};

inline LinkId add_link(std::vector<Link>& links, std::string name, const LinkKind& kind) {
  links.push_back({std::move(name), kind.tier, kind.bandwidth, kind.latency});
  return static_cast<LinkId>(links.size() - 1);
}

/// Ports "<name>-0", "<name>-1" …, each with a link up, away from its owner, and a link down.
class Ports {
 public:
  Ports() = default;
  Ports(std::vector<Link>& links, const std::string& name, std::uint32_t count, const LinkKind& kind)
      : first_(static_cast<LinkId>(links.size())) {
    for (std::uint32_t port = 0; port < count; ++port)
      for (const char* direction : {"_UP", "_DOWN"})
        add_link(links, name + "-" + std::to_string(port) + direction, kind);
  }

  LinkId up(std::uint32_t port) const { return first_ + 2 * port; }
  LinkId down(std::uint32_t port) const { return first_ + 2 * port + 1; }

 private:
  LinkId first_ = 0;
};

}  // namespace traincast
