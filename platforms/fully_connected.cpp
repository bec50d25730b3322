// A link of its own from every learner to every other.
#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class FullyConnectedCluster : public Cluster {
 public:
  FullyConnectedCluster(std::uint32_t learners, std::vector<Link> links)
      : Cluster(learners, std::move(links)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.assign({from * (learners() - 1) + to - (to > from ? 1 : 0)});
  }
};

class FullyConnected : public Topology {
 public:
  explicit FullyConnected(LinkKind link) : link_(std::move(link)) {}

  std::string refuses(std::uint32_t learners) const override {
    if (learners <= kMost) return "";
    return "'fully_connected' has a link for every two learners, and holds " + std::to_string(kMost) +
           " learners at most, got " + std::to_string(learners);
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    links.reserve(std::size_t{learners} * (learners - 1));
    for (std::uint32_t from = 0; from < learners; ++from)
      for (std::uint32_t to = 0; to < learners; ++to)
        if (from != to) add_link(links, std::to_string(from) + "-" + std::to_string(to), link_);
    return std::make_unique<FullyConnectedCluster>(learners, std::move(links));
  }

  double longest_latency(std::uint32_t) const override { return link_.latency; }
  double narrowest_bandwidth(std::uint32_t) const override { return link_.bandwidth; }
  std::uint32_t sharing(std::uint32_t) const override { return 1; }

 private:
  static constexpr std::uint32_t kMost = 1024;

  LinkKind link_;
};

}  // namespace

std::unique_ptr<Topology> make_fully_connected(const Parameters& p) {
  return std::make_unique<FullyConnected>(LinkKind{"network", p.number("bandwidth"), p.number("latency")});
}

}  // namespace traincast
