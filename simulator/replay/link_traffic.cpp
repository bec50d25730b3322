#include "simulator/replay/link_traffic.hpp"

#include <algorithm>
#include <map>

namespace traincast {

std::vector<Bytes> LinkTraffic::by_link(const RouteTable& routes) const {
  std::vector<Bytes> bytes(routes.cluster().links().size(), 0);
  for (PathId path = 0; path < bytes_.size(); ++path)
    for (LinkId link : routes.links(path)) bytes[link] += bytes_[path];
  return bytes;
}

std::vector<std::pair<std::string, Bytes>> LinkTraffic::tier_bytes(const RouteTable& routes) const {
  const std::vector<Link>& links = routes.cluster().links();
  std::vector<Bytes> bytes = by_link(routes);
  std::map<std::string, Bytes> sums;
  for (std::size_t i = 0; i < links.size(); ++i) sums[links[i].tier] += bytes[i];
  return {sums.begin(), sums.end()};
}

double LinkTraffic::busiest_link_s(const RouteTable& routes) const {
  const std::vector<Link>& links = routes.cluster().links();
  std::vector<Bytes> bytes = by_link(routes);
  double longest = 0;
  for (std::size_t i = 0; i < links.size(); ++i)
    longest = std::max(longest, static_cast<double>(bytes[i]) / links[i].bandwidth);
  return longest;
}

}  // namespace traincast
