#include "platforms/fabric.hpp"

namespace traincast {

namespace {

class SwitchedCluster : public Cluster {
 public:
  SwitchedCluster(std::uint32_t learners, std::vector<Link> links, Ports ports,
                  std::unique_ptr<Fabric> fabric)
      : Cluster(learners, std::move(links)), ports_(ports), fabric_(std::move(fabric)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.assign({ports_.up(from)});
    fabric_->cross(from, to, into);
    into.push_back(ports_.down(to));
  }

 private:
  Ports ports_;
  std::unique_ptr<Fabric> fabric_;
};

class Switched : public Topology {
 public:
  Switched(LinkKind port, std::unique_ptr<FabricKind> fabric)
      : port_(std::move(port)), fabric_(std::move(fabric)) {}

  std::string refuses(std::uint32_t learners) const override { return fabric_->refuses(learners); }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports ports(links, "port", learners, port_);
    auto fabric = fabric_->build(learners, links);
    return std::make_unique<SwitchedCluster>(learners, std::move(links), ports, std::move(fabric));
  }

  std::vector<std::uint32_t> groups(std::uint32_t learners) const override {
    return fabric_->groups(learners);
  }

 private:
  LinkKind port_;
  std::unique_ptr<FabricKind> fabric_;
};

}  // namespace

std::unique_ptr<Topology> make_switched(LinkKind port, std::unique_ptr<FabricKind> fabric) {
  return std::make_unique<Switched>(std::move(port), std::move(fabric));
}

}  // namespace traincast
