// Bytes that crossed each link, summed by path until somebody asks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "simulator/replay/route_table.hpp"

namespace traincast {

class LinkTraffic {
 public:
  void add(PathId path, Bytes bytes) {
    if (path >= bytes_.size()) bytes_.resize(path + 1, 0);
    bytes_[path] += bytes;
  }

  /// In order of tier name; every tier of the cluster, used or not.
  std::vector<std::pair<std::string, Bytes>> tier_bytes(const RouteTable& routes) const;
  /// The longest that one of the links would need for its bytes alone.
  double busiest_link_s(const RouteTable& routes) const;

 private:
  std::vector<Bytes> by_link(const RouteTable& routes) const;

  std::vector<Bytes> bytes_;  // by path
};

}  // namespace traincast
