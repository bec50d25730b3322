// Nodes of several GPUs. Within a node every GPU has a port on a switch like NVLink's; between nodes a GPU
// uses a NIC, its own or the node's only one, on one switch that is never the bottleneck.
//
// Ranks fill nodes in order; the last node may be partly filled. A path between nodes crosses two NIC links
// and no GPU port: NICs hang on PCIe, which is not modelled.
#include <algorithm>

#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

struct Shape {
  std::uint32_t gpus_per_node;
  bool nic_per_gpu;

  std::uint32_t node(std::uint32_t rank) const { return rank / gpus_per_node; }
  std::uint32_t nic(std::uint32_t rank) const { return nic_per_gpu ? rank : node(rank); }
};

class GpuNodesCluster : public Cluster {
 public:
  GpuNodesCluster(std::uint32_t learners, std::vector<Link> links, Shape shape, Ports nvlinks, Ports nics)
      : Cluster(learners, std::move(links)), shape_(shape), nvlinks_(nvlinks), nics_(nics) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    if (shape_.node(from) == shape_.node(to))
      into.assign({nvlinks_.up(from), nvlinks_.down(to)});
    else
      into.assign({nics_.up(shape_.nic(from)), nics_.down(shape_.nic(to))});
  }

 private:
  Shape shape_;
  Ports nvlinks_, nics_;
};

class GpuNodes : public Topology {
 public:
  GpuNodes(Shape shape, LinkKind nic, LinkKind nvlink)
      : shape_(shape), nic_(std::move(nic)), nvlink_(std::move(nvlink)) {}

  std::string refuses(std::uint32_t) const override { return ""; }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports nvlinks(links, "nvlink", learners, nvlink_);
    Ports nics(links, "nic", shape_.nic(learners - 1) + 1, nic_);
    return std::make_unique<GpuNodesCluster>(learners, std::move(links), shape_, nvlinks, nics);
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
  bool one_node(std::uint32_t learners) const { return learners <= shape_.gpus_per_node; }
  std::uint32_t ranks_per_nic() const { return shape_.nic_per_gpu ? 1 : shape_.gpus_per_node; }
  bool nic_is_narrowest(std::uint32_t learners) const {
    return !one_node(learners) &&
           (shape_.gpus_per_node == 1 || nic_.bandwidth / ranks_per_nic() <= nvlink_.bandwidth);
  }

  Shape shape_;
  LinkKind nic_, nvlink_;
};

}  // namespace

std::unique_ptr<Topology> make_gpu_nodes(const Parameters& p) {
  return std::make_unique<GpuNodes>(
      Shape{static_cast<std::uint32_t>(p.count("gpus_per_node")), p.word("nics") == "per_gpu"},
      LinkKind{"nic", p.number("bandwidth"), p.number("latency")},
      LinkKind{"nvlink", p.number("intra_bandwidth"), p.number("intra_latency")});
}

}  // namespace traincast
