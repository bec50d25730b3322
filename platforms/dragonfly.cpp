// Dragonfly: Kim et al., "Technology-driven, highly-scalable dragonfly topology" (ISCA 2008). Routers of a
// group are all linked to each other, and every two groups by one bundle of cables; minimal routes: at most
// one link within the group, one between groups, one within the other group.
#include "platforms/fabric.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

using Shape = DragonflyShape;

// The router of group `from` that holds the bundle to group `to`: bundles go around the routers in turn,
// beginning with the next group's.
std::uint64_t gateway(const Shape& shape, std::uint64_t from, std::uint64_t to) {
  return (to + shape.groups - from - 1) % shape.groups % shape.routers;
}

class DragonflyFabric : public Fabric {
 public:
  DragonflyFabric(Shape shape, LinkId first_local, LinkId first_global)
      : shape_(shape), first_local_(first_local), first_global_(first_global) {}

  void cross(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& route) const override {
    std::uint64_t router = from / shape_.ports, last = to / shape_.ports;
    std::uint64_t group = router / shape_.routers, last_group = last / shape_.routers;
    router %= shape_.routers;
    last %= shape_.routers;
    if (group != last_group) {
      step(group, router, gateway(shape_, group, last_group), route);
      route.push_back(static_cast<LinkId>(first_global_ + group * shape_.groups + last_group));
      router = gateway(shape_, last_group, group);
    }
    step(last_group, router, last, route);
  }

 private:
  void step(std::uint64_t group, std::uint64_t from, std::uint64_t to, std::vector<LinkId>& route) const {
    if (from != to)
      route.push_back(
          static_cast<LinkId>(first_local_ + (group * shape_.routers + from) * shape_.routers + to));
  }

  Shape shape_;
  LinkId first_local_, first_global_;
};

class Dragonfly : public FabricKind {
 public:
  Dragonfly(Shape shape, LinkKind local, LinkKind global)
      : shape_(shape), local_(std::move(local)), global_(std::move(global)) {}

  std::string refuses(std::uint32_t ports) const override {
    std::uint64_t places = shape_.groups * shape_.routers * shape_.ports;
    if (ports > places)
      return "a dragonfly of " + std::to_string(shape_.groups) + " groups of " +
             std::to_string(shape_.routers) + " routers with " + std::to_string(shape_.ports) +
             " ports has " + std::to_string(places) + " places, and " + std::to_string(ports) + " are needed";
    std::uint64_t cables = shape_.groups * (shape_.routers * shape_.routers + shape_.groups);
    if (places > kMost || cables > kMost)
      return "a dragonfly may have " + std::to_string(kMost) + " places and links at most";
    return "";
  }

  // A square table of links for each group, and one for the groups; those from a router or group to itself
  // carry nothing.
  std::unique_ptr<Fabric> build(std::uint32_t, std::vector<Link>& links) const override {
    auto first_local = static_cast<LinkId>(links.size());
    for (std::uint64_t group = 0; group < shape_.groups; ++group)
      add_square(links, "local-" + std::to_string(group) + "-", shape_.routers, local_);
    auto first_global = static_cast<LinkId>(links.size());
    add_square(links, "global-", shape_.groups, global_);
    return std::make_unique<DragonflyFabric>(shape_, first_local, first_global);
  }

  std::vector<std::uint32_t> groups(std::uint32_t) const override {
    return std::vector<std::uint32_t>(shape_.groups * shape_.routers,
                                      static_cast<std::uint32_t>(shape_.ports));
  }

 private:
  static constexpr std::uint64_t kMost = 1 << 22;

  static void add_square(std::vector<Link>& links, const std::string& name, std::uint64_t count,
                         const LinkKind& kind) {
    for (std::uint64_t from = 0; from < count; ++from)
      for (std::uint64_t to = 0; to < count; ++to)
        add_link(links, name + std::to_string(from) + "-" + std::to_string(to), kind);
  }

  Shape shape_;
  LinkKind local_, global_;
};

}  // namespace

std::unique_ptr<FabricKind> make_dragonfly_fabric(DragonflyShape shape, LinkKind local, LinkKind global) {
  return std::make_unique<Dragonfly>(shape, std::move(local), std::move(global));
}

std::unique_ptr<Topology> make_dragonfly(const Parameters& p) {
  auto count = [&](const char* key) { return static_cast<std::uint64_t>(p.count(key)); };
  double bandwidth = p.number("bandwidth"), latency = p.number("latency");
  return make_switched(
      {"network", bandwidth, latency},
      std::make_unique<Dragonfly>(
          Shape{count("groups"), count("routers_per_group"), count("learners_per_router")},
          LinkKind{"local", bandwidth, latency},
          LinkKind{"global", bandwidth * p.number("global_cables"), p.number("global_latency")}));
}

}  // namespace traincast
