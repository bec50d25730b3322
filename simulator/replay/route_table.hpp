// The paths of a cluster that transfers have used, each looked up once.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

struct Path {
  Rank from = 0, to = 0;
  std::uint32_t first_link = 0, links = 0;  ///< for RouteTable::links
  double latency = 0;                       ///< of all its links
  double bandwidth = 0;                     ///< of its narrowest link; infinite without links
};

using PathId = std::uint32_t;

class RouteTable {
 public:
  explicit RouteTable(const Cluster& cluster) : cluster_(cluster) {}

  /// Numbers paths in the order in which they are first asked for.
  PathId id(Rank from, Rank to);
  std::size_t size() const { return paths_.size(); }
  const Path& operator[](PathId id) const { return paths_[id]; }
  std::span<const LinkId> links(PathId id) const {
    return std::span(links_).subspan(paths_[id].first_link, paths_[id].links);
  }
  const Cluster& cluster() const { return cluster_; }

 private:
  const Cluster& cluster_;
  std::unordered_map<std::uint64_t, PathId> ids_;  // by both ranks
  std::vector<Path> paths_;
  std::vector<LinkId> links_, route_;
};

}  // namespace traincast
