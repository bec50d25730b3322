#include "platforms/simgrid_platform.hpp"

#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/Link.hpp>
#include <simgrid/s4u/NetZone.hpp>

namespace traincast {

SimGridPlatform::SimGridPlatform(const Cluster& cluster) : zone_(simgrid::s4u::create_empty_zone("cluster")) {
  for (std::uint32_t host = 0; host < cluster.hosts(); ++host)
    hosts_.push_back(zone_->create_host(std::to_string(host), 1.0));
  for (const Link& link : cluster.links()) {
    links_.push_back(zone_->create_link(link.name, link.bandwidth));
    links_.back()->seal();
  }
  zone_->seal();
}

// Bypass routes, since others must all be known before the zone is sealed.
void SimGridPlatform::connect(std::uint32_t from, std::uint32_t to, const std::vector<LinkId>& route) {
  std::vector<simgrid::s4u::LinkInRoute> links;
  for (LinkId link : route) links.emplace_back(links_[link]);
  zone_->add_bypass_route(hosts_[from]->get_netpoint(), hosts_[to]->get_netpoint(), nullptr, nullptr, links);
}

}  // namespace traincast
