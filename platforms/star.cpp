// Every learner has a port of its own on one switch that is never the bottleneck.
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/NetZone.hpp>

#include "platforms/port.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

using simgrid::s4u::LinkInRoute;

class Star : public Topology {
 public:
  explicit Star(PortKind port) : port_(std::move(port)) {}

  std::string refuses(std::uint32_t) const override { return ""; }

  simgrid::s4u::NetZone* build(std::uint32_t learners, std::vector<Link>& links) const override {
    auto* zone = simgrid::s4u::create_star_zone("star");
    for (std::uint32_t learner = 0; learner < learners; ++learner) {
      std::string name = std::to_string(learner);
      auto* host = zone->create_host(name, 1.0);
      auto* port = create_port(zone, "port-" + name, port_, links);
      zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                      {LinkInRoute(port, LinkInRoute::Direction::UP)}, true);
    }
    return zone->seal();
  }

  double longest_latency(std::uint32_t) const override { return 2 * port_.latency; }
  double narrowest_bandwidth(std::uint32_t) const override { return port_.bandwidth; }
  std::uint32_t sharing(std::uint32_t) const override { return 1; }

 private:
  PortKind port_;
};

}  // namespace

std::unique_ptr<Topology> make_star(const Parameters& p) {
  return std::make_unique<Star>(PortKind{"network", p.number("bandwidth"), p.number("latency")});
}

}  // namespace traincast
