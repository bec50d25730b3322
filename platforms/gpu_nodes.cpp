// Nodes of several GPUs. Within a node every GPU has a port on a switch like NVLink's; between nodes a GPU
// uses a NIC, its own or the node's only one, on one switch that is never the bottleneck.
//
// Ranks fill nodes in order; the last node may be partly filled. A path between nodes crosses two NIC links
// and no GPU port: NICs hang on PCIe, which is not modelled. One flat zone with the paths within nodes as
// bypass routes, because SimGrid 3.32 takes a time quadratic in the number of nested zones.
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/NetZone.hpp>

#include <algorithm>

#include "platforms/port.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

using simgrid::s4u::LinkInRoute;

struct Gpu {
  simgrid::s4u::Host* host;
  simgrid::s4u::SplitDuplexLink* port;
};

void add_node_routes(simgrid::s4u::NetZone* zone, const std::vector<Gpu>& gpus) {
  for (const Gpu& from : gpus)
    for (const Gpu& to : gpus)
      if (from.host != to.host)
        zone->add_bypass_route(from.host->get_netpoint(), to.host->get_netpoint(), nullptr, nullptr,
                               {LinkInRoute(from.port, LinkInRoute::Direction::UP),
                                LinkInRoute(to.port, LinkInRoute::Direction::DOWN)});
}

class GpuNodes : public Topology {
 public:
  GpuNodes(std::uint32_t gpus_per_node, bool nic_per_gpu, PortKind nic, PortKind nvlink)
      : gpus_per_node_(gpus_per_node),
        nic_per_gpu_(nic_per_gpu),
        nic_(std::move(nic)),
        nvlink_(std::move(nvlink)) {}

  std::string refuses(std::uint32_t) const override { return ""; }

  simgrid::s4u::NetZone* build(std::uint32_t learners, std::vector<Link>& links) const override {
    auto* zone = simgrid::s4u::create_star_zone("gpu_nodes");
    for (std::uint32_t first = 0; first < learners; first += gpus_per_node_) {
      std::vector<Gpu> gpus;
      simgrid::s4u::SplitDuplexLink* nic = nullptr;
      for (std::uint32_t learner = first; learner < std::min(learners, first + gpus_per_node_); ++learner) {
        std::string name = std::to_string(learner);
        auto* host = zone->create_host(name, 1.0);
        gpus.push_back({host, create_port(zone, "nvlink-" + name, nvlink_, links)});
        if (!nic || nic_per_gpu_) nic = create_port(zone, "nic-" + name, nic_, links);
        zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                        {LinkInRoute(nic, LinkInRoute::Direction::UP)}, true);
      }
      add_node_routes(zone, gpus);
    }
    return zone->seal();
  }

  double longest_latency(std::uint32_t learners) const override {
    return 2 * (one_node(learners) ? nvlink_.latency : std::max(nic_.latency, nvlink_.latency));
  }

  // The narrowest counts with all ranks that share it sending at once.
  double narrowest_bandwidth(std::uint32_t learners) const override {
    return nic_is_narrowest(learners) ? nic_.bandwidth : nvlink_.bandwidth;
  }
  std::uint32_t sharing(std::uint32_t learners) const override {
    return nic_is_narrowest(learners) ? ranks_per_nic() : 1;
  }

 private:
  bool one_node(std::uint32_t learners) const { return learners <= gpus_per_node_; }
  std::uint32_t ranks_per_nic() const { return nic_per_gpu_ ? 1 : gpus_per_node_; }
  bool nic_is_narrowest(std::uint32_t learners) const {
    return !one_node(learners) &&
           (gpus_per_node_ == 1 || nic_.bandwidth / ranks_per_nic() <= nvlink_.bandwidth);
  }

  std::uint32_t gpus_per_node_;
  bool nic_per_gpu_;
  PortKind nic_, nvlink_;
};

}  // namespace

std::unique_ptr<Topology> make_gpu_nodes(const Parameters& p) {
  return std::make_unique<GpuNodes>(
      static_cast<std::uint32_t>(p.count("gpus_per_node")), p.word("nics") == "per_gpu",
      PortKind{"nic", p.number("bandwidth"), p.number("latency")},
      PortKind{"nvlink", p.number("intra_bandwidth"), p.number("intra_latency")});
}

}  // namespace traincast
