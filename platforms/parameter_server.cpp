// A star whose switch also connects hosts that sum and do not learn. Li et al. 2014, Scaling Distributed
// Machine Learning with the Parameter Server.
#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class ServedCluster : public Cluster {
 public:
  ServedCluster(std::uint32_t learners, std::uint32_t servers, std::vector<Link> links, Ports of_learners,
                Ports of_servers)
      : Cluster(learners, std::move(links), servers), of_learners_(of_learners), of_servers_(of_servers) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.assign({from < learners() ? of_learners_.up(from) : of_servers_.up(from - learners()),
                 to < learners() ? of_learners_.down(to) : of_servers_.down(to - learners())});
  }

 private:
  Ports of_learners_, of_servers_;
};

class ParameterServer : public Topology {
 public:
  ParameterServer(LinkKind port, LinkKind server_port, std::uint32_t servers)
      : port_(std::move(port)), server_port_(std::move(server_port)), servers_(servers) {}

  std::string refuses(std::uint32_t) const override { return ""; }
  std::uint32_t servers() const override { return servers_; }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports of_learners(links, "port", learners, port_);
    Ports of_servers(links, "server", servers_, server_port_);
    return std::make_unique<ServedCluster>(learners, servers_, std::move(links), of_learners, of_servers);
  }

  double longest_latency(std::uint32_t) const override { return 2 * port_.latency; }
  double narrowest_bandwidth(std::uint32_t) const override { return port_.bandwidth; }
  std::uint32_t sharing(std::uint32_t) const override { return 1; }

 private:
  LinkKind port_, server_port_;
  std::uint32_t servers_;
};

}  // namespace

std::unique_ptr<Topology> make_parameter_server(const Parameters& p) {
  double latency = p.number("latency");
  return std::make_unique<ParameterServer>(
      LinkKind{"network", p.number("bandwidth"), latency},
      LinkKind{"servers", p.number("bandwidth") * static_cast<double>(p.count("server_percent")) / 100,
               latency},
      static_cast<std::uint32_t>(p.count("servers")));
}

}  // namespace traincast
