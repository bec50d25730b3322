// Every learner has a port of its own on one switch that is never the bottleneck.
#include "platforms/star.hpp"

#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class StarCluster : public Cluster {
 public:
  StarCluster(std::uint32_t learners, std::vector<Link> links, Ports ports)
      : Cluster(learners, std::move(links)), ports_(ports) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.assign({ports_.up(from), ports_.down(to)});
  }

 private:
  Ports ports_;
};

class Star : public Topology {
 public:
  explicit Star(LinkKind port) : port_(std::move(port)) {}

  std::string refuses(std::uint32_t) const override { return ""; }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports ports(links, "port", learners, port_);
    return make_star_cluster(learners, std::move(links), ports);
  }

  double longest_latency(std::uint32_t) const override { return 2 * port_.latency; }
  double narrowest_bandwidth(std::uint32_t) const override { return port_.bandwidth; }
  std::uint32_t sharing(std::uint32_t) const override { return 1; }

 private:
  LinkKind port_;
};

}  // namespace

std::unique_ptr<Cluster> make_star_cluster(std::uint32_t learners, std::vector<Link> links, Ports ports) {
  return std::make_unique<StarCluster>(learners, std::move(links), ports);
}

std::unique_ptr<Topology> make_star(const Parameters& p) {
  return std::make_unique<Star>(LinkKind{"network", p.number("bandwidth"), p.number("latency")});
}

}  // namespace traincast
