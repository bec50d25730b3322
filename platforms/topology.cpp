#include "platforms/topology.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace traincast {

namespace {

constexpr std::uint32_t kAllPairsUpTo = 128;

std::vector<std::uint32_t> distances(std::uint32_t learners) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t distance = 1; distance < learners;
       distance = learners <= kAllPairsUpTo ? distance + 1 : 2 * distance)
    all.push_back(distance);
  return all;
}

// Of the first ranks, so many: seconds per byte of the slowest link, with each of them sending to those that
// many ranks on.
double slowest(const Cluster& cluster, std::uint32_t ranks, std::initializer_list<std::uint32_t> distances) {
  std::vector<std::uint32_t> flows(cluster.links().size(), 0);
  std::vector<LinkId> route;
  for (std::uint32_t distance : distances)
    for (std::uint32_t from = 0; from < ranks; ++from) {
      cluster.route(from, (from + distance) % ranks, route);
      for (LinkId link : route) ++flows[link];
    }
  double longest = 0;
  for (LinkId link = 0; link < flows.size(); ++link)
    longest = std::max(longest, flows[link] / cluster.links()[link].bandwidth);
  return longest;
}

// Likewise of the longest route.
double latency(const Cluster& cluster, std::uint32_t ranks, const std::vector<std::uint32_t>& distances) {
  double longest = 0;
  std::vector<LinkId> route;
  for (std::uint32_t distance : distances)
    for (std::uint32_t from = 0; from < ranks; ++from) {
      cluster.route(from, (from + distance) % ranks, route);
      longest = std::max(longest, cluster.latency(route));
    }
  return longest;
}

}  // namespace

std::vector<std::uint32_t> Topology::groups(std::uint32_t) const { return {}; }

std::uint32_t Topology::node_size(std::uint32_t learners) const {
  std::vector<std::uint32_t> sizes = groups(learners);
  if (sizes.empty() || learners % sizes.front() != 0) return 1;
  bool alike = std::all_of(sizes.begin(), sizes.end(), [&](auto size) { return size == sizes.front(); });
  return alike ? sizes.front() : 1;
}

double Topology::longest_latency(std::uint32_t learners) const {
  return latency(*build(learners), learners, distances(learners));
}

double Topology::narrowest_bandwidth(std::uint32_t learners) const {
  return 1 / slowest(*build(learners), learners, {1});
}

std::uint32_t Topology::sharing(std::uint32_t learners) const {
  auto cluster = build(learners);
  double near = slowest(*cluster, learners, {1}), far = near;
  for (std::uint32_t distance = 2; distance <= learners / 2; distance *= 2)
    far = std::max(far, slowest(*cluster, learners, {distance}));
  return static_cast<std::uint32_t>(std::ceil(far / near - 1e-9));
}

double Topology::neighbour_latency(std::uint32_t learners) const {
  return latency(*build(learners), learners, {1, learners - 1});
}

std::uint32_t Topology::neighbour_flows(std::uint32_t learners) const {
  auto cluster = build(learners);
  double both = slowest(*cluster, learners, {1, learners - 1}), one = slowest(*cluster, learners, {1});
  return static_cast<std::uint32_t>(std::ceil(both / one - 1e-9));
}

Topology::Within Topology::within_node(std::uint32_t learners, std::uint32_t node) const {
  auto cluster = build(learners);
  return {latency(*cluster, node, distances(node)), 1 / slowest(*cluster, node, {1})};
}

}  // namespace traincast
