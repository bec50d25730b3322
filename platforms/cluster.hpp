// A cluster as plain values: links with their tier, routes between learners. What SimGrid knows, without
// SimGrid.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace traincast {

struct Link {
  std::string name;
  std::string tier;      ///< "network", "nvlink", "nic" …; bytes are reported per tier
  double bandwidth = 0;  ///< bytes per second, one direction
  double latency = 0;    ///< seconds
};

struct Route {
  std::vector<std::uint32_t> links;
  double latency = 0;  ///< sum over its links
};

}  // namespace traincast
