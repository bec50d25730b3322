#include "platforms/port.hpp"

#include <simgrid/s4u/Link.hpp>
#include <simgrid/s4u/NetZone.hpp>

namespace traincast {

simgrid::s4u::SplitDuplexLink* create_port(simgrid::s4u::NetZone* zone, const std::string& name,
                                           const PortKind& kind, std::vector<Link>& links) {
  auto* port = zone->create_split_duplex_link(name, kind.bandwidth);
  port->set_latency(0);
  port->seal();
  for (auto* direction : {port->get_link_up(), port->get_link_down()})
    links.push_back({direction->get_name(), kind.tier, kind.bandwidth, kind.latency});
  return port;
}

}  // namespace traincast
