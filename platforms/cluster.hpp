// A network of learners as plain values: links with their tier, and routes that are computed, not stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace traincast {

using LinkId = std::uint32_t;

/// One direction: what goes the other way crosses another link.
struct Link {
  std::string name;
  std::string tier;      ///< "network", "nvlink", "nic" …; bytes are reported per tier
  double bandwidth = 0;  ///< bytes per second
  double latency = 0;    ///< seconds
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  std::uint32_t learners() const { return learners_; }
  /// Hosts that sum and do not learn; they are numbered behind the learners.
  std::uint32_t servers() const { return servers_; }
  std::uint32_t hosts() const { return learners_ + servers_; }
  const std::vector<Link>& links() const { return links_; }

  /// The links that a transfer crosses, in order, each once, in place of what `into` held; from != to, both
  /// below hosts(). Always the same for a pair, and safe to ask from several threads.
  virtual void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const = 0;

  /// The sum over a route's links.
  double latency(const std::vector<LinkId>& route) const {
    double sum = 0;
    for (LinkId link : route) sum += links_[link].latency;
    return sum;
  }

 protected:
  Cluster(std::uint32_t learners, std::vector<Link> links, std::uint32_t servers = 0)
      : learners_(learners), servers_(servers), links_(std::move(links)) {}

 private:
  std::uint32_t learners_, servers_;
  std::vector<Link> links_;
};

}  // namespace traincast
