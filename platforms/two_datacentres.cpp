// Two stars with one wide-area link between them; the first half of the learners, rounded up, is in the
// first.
#include "platforms/fabric.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class WideAreaFabric : public Fabric {
 public:
  WideAreaFabric(std::uint32_t first_half, Ports link) : first_half_(first_half), link_(link) {}

  void cross(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& route) const override {
    bool leaves_first = from < first_half_;
    if (leaves_first != (to < first_half_)) route.push_back(leaves_first ? link_.up(0) : link_.down(0));
  }

 private:
  std::uint32_t first_half_;
  Ports link_;
};

class TwoDatacentres : public FabricKind {
 public:
  explicit TwoDatacentres(LinkKind link) : link_(std::move(link)) {}

  std::string refuses(std::uint32_t) const override { return ""; }
  std::unique_ptr<Fabric> build(std::uint32_t ports, std::vector<Link>& links) const override {
    return std::make_unique<WideAreaFabric>(groups(ports)[0], Ports(links, "wan", 1, link_));
  }
  std::vector<std::uint32_t> groups(std::uint32_t ports) const override {
    return {ports - ports / 2, ports / 2};
  }

 private:
  LinkKind link_;
};

}  // namespace

std::unique_ptr<Topology> make_two_datacentres(const Parameters& p) {
  return make_switched(
      {"network", p.number("bandwidth"), p.number("latency")},
      std::make_unique<TwoDatacentres>(LinkKind{"wan", p.number("wan_bandwidth"), p.number("wan_latency")}));
}

}  // namespace traincast
