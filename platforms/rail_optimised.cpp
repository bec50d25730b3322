// Nodes of GPUs with a NIC each, the i-th of every node on one switch, the rail i: NVIDIA's reference
// architectures for DGX A100 and H100. Messages between GPUs of unlike number either cross spine switches
// from rail to rail, or NVLink to the GPU of their node that is on the rail (PXN: NCCL 2.12).
#include <optional>

#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class RailCluster : public Cluster {
 public:
  RailCluster(std::uint32_t learners, std::vector<Link> links, std::uint32_t gpus_per_node, Ports nvlinks,
              Ports nics, std::optional<Ports> spine)
      : Cluster(learners, std::move(links)),
        gpus_per_node_(gpus_per_node),
        nvlinks_(nvlinks),
        nics_(nics),
        spine_(spine) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    std::uint32_t node = from / gpus_per_node_, rail = from % gpus_per_node_;
    std::uint32_t last_node = to / gpus_per_node_, last_rail = to % gpus_per_node_;
    into.clear();
    if (node == last_node) return within(from, to, into);
    if (rail == last_rail) return between(from, to, into);
    if (spine_) {
      into.insert(into.end(), {nics_.up(from), spine_->up(rail), spine_->down(last_rail), nics_.down(to)});
      return;
    }
    // In a last node that is partly filled, there may be no GPU on the other's rail; then there is one where
    // the message goes to.
    if (std::uint32_t peer = node * gpus_per_node_ + last_rail; peer < learners()) {
      within(from, peer, into);
      between(peer, to, into);
    } else {
      peer = last_node * gpus_per_node_ + rail;
      between(from, peer, into);
      within(peer, to, into);
    }
  }

 private:
  void within(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const {
    into.insert(into.end(), {nvlinks_.up(from), nvlinks_.down(to)});
  }
  void between(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const {
    into.insert(into.end(), {nics_.up(from), nics_.down(to)});
  }

  std::uint32_t gpus_per_node_;
  Ports nvlinks_, nics_;
  std::optional<Ports> spine_;
};

class RailOptimised : public Topology {
 public:
  RailOptimised(std::uint32_t gpus_per_node, LinkKind nvlink, LinkKind nic, bool has_spine,
                double oversubscription)
      : gpus_per_node_(gpus_per_node),
        nvlink_(std::move(nvlink)),
        nic_(std::move(nic)),
        has_spine_(has_spine),
        oversubscription_(oversubscription) {}

  std::string refuses(std::uint32_t) const override {
    if (!has_spine_ && oversubscription_ != 1)
      return "'oversubscription' is for \"between_rails\": \"spine\"; over NVLink nothing crosses a spine";
    return "";
  }

  // The cables of a rail's switch to the spine switches are one link of their summed bandwidth.
  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports nvlinks(links, "nvlink", learners, nvlink_);
    Ports nics(links, "nic", learners, nic_);
    std::optional<Ports> spine;
    double nodes = (learners - 1) / gpus_per_node_ + 1;
    if (has_spine_)
      spine.emplace(links, "spine", gpus_per_node_,
                    LinkKind{"spine", nodes * nic_.bandwidth / oversubscription_, nic_.latency});
    return std::make_unique<RailCluster>(learners, std::move(links), gpus_per_node_, nvlinks, nics, spine);
  }

  std::vector<std::uint32_t> groups(std::uint32_t learners) const override {
    return std::vector<std::uint32_t>((learners - 1) / gpus_per_node_ + 1, gpus_per_node_);
  }

 private:
  std::uint32_t gpus_per_node_;
  LinkKind nvlink_, nic_;
  bool has_spine_;
  double oversubscription_;
};

}  // namespace

std::unique_ptr<Topology> make_rail_optimised(const Parameters& p) {
  return std::make_unique<RailOptimised>(
      static_cast<std::uint32_t>(p.count("gpus_per_node")),
      LinkKind{"nvlink", p.number("intra_bandwidth"), p.number("intra_latency")},
      LinkKind{"nic", p.number("bandwidth"), p.number("latency")}, p.word("between_rails") == "spine",
      p.number("oversubscription"));
}

}  // namespace traincast
