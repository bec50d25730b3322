// A star whose learners have ports of unlike speed: groups of learners, each with its share of the bandwidth.
#include <algorithm>
#include <numeric>

#include "platforms/link_table.hpp"
#include "platforms/star.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class Heterogeneous : public Topology {
 public:
  Heterogeneous(LinkKind port, std::vector<std::int64_t> sizes, std::vector<std::int64_t> percents,
                std::vector<std::int64_t> upload_percents)
      : port_(std::move(port)),
        sizes_(sizes.begin(), sizes.end()),
        down_(std::move(percents)),
        up_(std::move(upload_percents)) {
    if (up_.empty()) up_ = down_;
  }

  std::string refuses(std::uint32_t learners) const override {
    if (sizes_.empty() || down_.size() != sizes_.size() || up_.size() != sizes_.size())
      return "'learners' and 'percents' need one number for each group, and 'upload_percents' as many or "
             "none";
    auto places = std::accumulate(sizes_.begin(), sizes_.end(), std::uint64_t{0});
    if (learners > places)
      return "the groups hold " + std::to_string(places) + " learners, and " + std::to_string(learners) +
             " are needed";
    return "";
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    std::vector<Link> links;
    Ports ports(links, "port", learners, port_);
    std::uint32_t learner = 0;
    for (std::size_t group = 0; group < sizes_.size(); ++group)
      for (std::uint32_t i = 0; i < sizes_[group] && learner < learners; ++i, ++learner) {
        links[ports.up(learner)].bandwidth *= static_cast<double>(up_[group]) / 100;
        links[ports.down(learner)].bandwidth *= static_cast<double>(down_[group]) / 100;
      }
    return make_star_cluster(learners, std::move(links), ports);
  }

  std::vector<std::uint32_t> groups(std::uint32_t) const override { return sizes_; }

 private:
  LinkKind port_;
  std::vector<std::uint32_t> sizes_;
  std::vector<std::int64_t> down_, up_;
};

}  // namespace

std::unique_ptr<Topology> make_heterogeneous(const Parameters& p) {
  return std::make_unique<Heterogeneous>(LinkKind{"network", p.number("bandwidth"), p.number("latency")},
                                         p.counts("learners"), p.counts("percents"),
                                         p.counts("upload_percents"));
}

}  // namespace traincast
