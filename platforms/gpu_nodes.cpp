// Nodes of several GPUs. Ranks fill nodes in order; the last may be partly filled.
//
// With NVLink, every GPU has a port on a switch within its node, and NICs are apart: a path between nodes
// crosses two NICs and no GPU port, as with GPUDirect through PCIe switches that nothing else uses. With PCIe
// alone, a GPU's port carries both what goes to its node's GPUs and what goes to the NIC.
#include <algorithm>

#include "platforms/fabric.hpp"
#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

struct Shape {
  std::uint32_t gpus_per_node;
  bool nic_per_gpu;
  bool nic_behind_port;

  std::uint32_t node(std::uint32_t rank) const { return rank / gpus_per_node; }
  std::uint32_t nic(std::uint32_t rank) const { return nic_per_gpu ? rank : node(rank); }
  std::uint32_t nics(std::uint32_t ranks) const { return nic(ranks - 1) + 1; }
};

class GpuNodesCluster : public Cluster {
 public:
  GpuNodesCluster(std::uint32_t learners, std::vector<Link> links, Shape shape, Ports gpus, Ports nics,
                  std::unique_ptr<Fabric> fabric)
      : Cluster(learners, std::move(links)),
        shape_(shape),
        gpus_(gpus),
        nics_(nics),
        fabric_(std::move(fabric)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.clear();
    if (shape_.node(from) == shape_.node(to)) {
      into.insert(into.end(), {gpus_.up(from), gpus_.down(to)});
      return;
    }
    if (shape_.nic_behind_port) into.push_back(gpus_.up(from));
    into.push_back(nics_.up(shape_.nic(from)));
    if (fabric_) fabric_->cross(shape_.nic(from), shape_.nic(to), into);
    into.push_back(nics_.down(shape_.nic(to)));
    if (shape_.nic_behind_port) into.push_back(gpus_.down(to));
  }

 private:
  Shape shape_;
  Ports gpus_, nics_;
  std::unique_ptr<Fabric> fabric_;  // null: one switch
};

class GpuNodes : public Topology {
 public:
  GpuNodes(Shape shape, LinkKind nic, LinkKind port, std::unique_ptr<FabricKind> fabric)
      : shape_(shape), nic_(std::move(nic)), port_(std::move(port)), fabric_(std::move(fabric)) {}

  std::string refuses(std::uint32_t learners) const override {
    std::string why = fabric_ ? fabric_->refuses(shape_.nics(learners)) : "";
    return why.empty() ? "" : "fabric between the NICs: " + why;
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports gpus(links, port_.tier, learners, port_);
    Ports nics(links, nic_.tier, shape_.nics(learners), nic_);
    auto fabric = fabric_ ? fabric_->build(shape_.nics(learners), links) : nullptr;
    return std::make_unique<GpuNodesCluster>(learners, std::move(links), shape_, gpus, nics,
                                             std::move(fabric));
  }

  std::vector<std::uint32_t> groups(std::uint32_t learners) const override {
    return std::vector<std::uint32_t>(shape_.node(learners - 1) + 1, shape_.gpus_per_node);
  }

  double longest_latency(std::uint32_t learners) const override {
    if (!plain()) return Topology::longest_latency(learners);
    return 2 * (one_node(learners) ? port_.latency : std::max(nic_.latency, port_.latency));
  }

  // The narrowest counts with all ranks that share it sending at once.
  double narrowest_bandwidth(std::uint32_t learners) const override {
    if (!plain()) return Topology::narrowest_bandwidth(learners);
    return nic_is_narrowest(learners) ? nic_.bandwidth : port_.bandwidth;
  }
  std::uint32_t sharing(std::uint32_t learners) const override {
    if (!plain()) return Topology::sharing(learners);
    return nic_is_narrowest(learners) ? ranks_per_nic() : 1;
  }

 private:
  bool plain() const { return !fabric_ && !shape_.nic_behind_port; }
  bool one_node(std::uint32_t learners) const { return learners <= shape_.gpus_per_node; }
  std::uint32_t ranks_per_nic() const { return shape_.nic_per_gpu ? 1 : shape_.gpus_per_node; }
  bool nic_is_narrowest(std::uint32_t learners) const {
    return !one_node(learners) &&
           (shape_.gpus_per_node == 1 || nic_.bandwidth / ranks_per_nic() <= port_.bandwidth);
  }

  Shape shape_;
  LinkKind nic_, port_;
  std::unique_ptr<FabricKind> fabric_;  // null: one switch
};

// What is said of another fabric than the one that is asked for is refused.
class Contradiction : public FabricKind {
 public:
  explicit Contradiction(std::string why) : why_(std::move(why)) {}
  std::string refuses(std::uint32_t) const override { return why_; }
  std::unique_ptr<Fabric> build(std::uint32_t, std::vector<Link>&) const override { return nullptr; }
  std::vector<std::uint32_t> groups(std::uint32_t ports) const override { return {ports}; }

 private:
  std::string why_;
};

std::unique_ptr<FabricKind> fabric_between(const Parameters& p) {
  const std::string& fabric = p.word("fabric");
  LinkKind link{"fabric", p.number("bandwidth"), p.number("latency")};
  auto dragonfly = p.counts("dragonfly");
  if (fabric != "dragonfly" && !dragonfly.empty())
    return std::make_unique<Contradiction>("'dragonfly' is for \"fabric\": \"dragonfly\"");
  if (fabric == "fat_tree") return make_fat_tree_fabric(p, link);
  if (!p.counts("down").empty() || !p.counts("up").empty() || p.word("routing") != "deterministic" ||
      p.count("routing_seed") != 1)
    return std::make_unique<Contradiction>(
        "'down', 'up', 'routing' and 'routing_seed' are for \"fabric\": \"fat_tree\"; a " + fabric +
        " has one path between any two");
  if (fabric == "star") return nullptr;
  if (dragonfly.size() != 3)
    return std::make_unique<Contradiction>(
        "'dragonfly' needs three numbers: groups, routers of a group, NICs of a router");
  auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(dragonfly[i]); };
  return make_dragonfly_fabric({count(0), count(1), count(2)}, link, link);
}

std::unique_ptr<Topology> make(const Parameters& p, const LinkKind& port, bool nic_behind_port) {
  return std::make_unique<GpuNodes>(Shape{static_cast<std::uint32_t>(p.count("gpus_per_node")),
                                          p.word("nics") == "per_gpu", nic_behind_port},
                                    LinkKind{"nic", p.number("bandwidth"), p.number("latency")}, port,
                                    fabric_between(p));
}

}  // namespace

std::unique_ptr<Topology> make_gpu_nodes(const Parameters& p) {
  return make(p, {"nvlink", p.number("intra_bandwidth"), p.number("intra_latency")}, false);
}

std::unique_ptr<Topology> make_pcie_nodes(const Parameters& p) {
  return make(p, {"pcie", p.number("pcie_bandwidth"), p.number("pcie_latency")}, true);
}

}  // namespace traincast
