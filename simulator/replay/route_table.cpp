#include "simulator/replay/route_table.hpp"

#include <algorithm>
#include <limits>

namespace traincast {

PathId RouteTable::id(Rank from, Rank to) {
  auto [place, fresh] = ids_.try_emplace(std::uint64_t{from} << 32 | to, static_cast<PathId>(paths_.size()));
  if (!fresh) return place->second;
  route_.clear();
  cluster_.route(from, to, route_);
  Path path{from,
            to,
            static_cast<std::uint32_t>(links_.size()),
            static_cast<std::uint32_t>(route_.size()),
            0,
            std::numeric_limits<double>::infinity()};
  for (LinkId link : route_) {
    path.latency += cluster_.links()[link].latency;
    path.bandwidth = std::min(path.bandwidth, cluster_.links()[link].bandwidth);
  }
  links_.insert(links_.end(), route_.begin(), route_.end());
  paths_.push_back(path);
  return place->second;
}

}  // namespace traincast
