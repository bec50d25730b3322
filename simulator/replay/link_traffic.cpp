#include "simulator/replay/link_traffic.hpp"

#include <map>
#include <string>
#include <utility>

namespace traincast {

std::vector<TierLoad> tier_loads(const std::vector<Link>& links, const std::vector<Bytes>& bytes) {
  std::map<std::string, TierLoad> loads;
  for (std::size_t i = 0; i < links.size(); ++i) {
    TierLoad& load = loads[links[i].tier];
    load.tier = links[i].tier;
    load.bytes += bytes[i];
    double seconds = static_cast<double>(bytes[i]) / links[i].bandwidth;
    if (seconds <= load.busiest_s) continue;
    load.busiest_s = seconds;
    load.busiest_bytes = bytes[i];
  }
  std::vector<TierLoad> all;
  for (auto& [tier, load] : loads) all.push_back(std::move(load));
  return all;
}

std::vector<TierLoad> LinkTraffic::tier_loads(const RouteTable& routes) const {
  const std::vector<Link>& links = routes.cluster().links();
  std::vector<Bytes> bytes(links.size(), 0);
  for (PathId path = 0; path < bytes_.size(); ++path)
    for (LinkId link : routes.links(path)) bytes[link] += bytes_[path];
  return traincast::tier_loads(links, bytes);
}

}  // namespace traincast
