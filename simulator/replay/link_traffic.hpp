// Bytes that crossed each link, summed by path until somebody asks.
#pragma once

#include <vector>

#include "simulator/replay/route_table.hpp"
#include "simulator/step/tier_load.hpp"

namespace traincast {

/// From the bytes of each link. In order of tier name; every tier of the cluster, used or not.
std::vector<TierLoad> tier_loads(const std::vector<Link>& links, const std::vector<Bytes>& bytes);

class LinkTraffic {
 public:
  void add(PathId path, Bytes bytes) {
    if (path >= bytes_.size()) bytes_.resize(path + 1, 0);
    bytes_[path] += bytes;
  }

  std::vector<TierLoad> tier_loads(const RouteTable& routes) const;

 private:
  std::vector<Bytes> bytes_;  // by path
};

}  // namespace traincast
