#include "simulator/collectives/closed_forms.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace traincast {

double transfer_seconds(double bytes, const NetworkEstimate& network, double flows) {
  return network.latency + flows * bytes / network.bandwidth;
}

double largest_block(const Collective& collective, std::uint32_t blocks) {
  return static_cast<double>((collective.count + blocks - 1) / blocks * collective.element_bytes);
}

double buffer_bytes(const Collective& collective) { return largest_block(collective, 1); }

double flows_ahead(std::uint32_t distance, const NetworkEstimate& network) {
  return std::min(distance, network.sharing);
}

double flows_across(std::uint32_t distance, const NetworkEstimate& network) {
  return distance >= network.sharing ? network.sharing : 1;
}

NetworkEstimate within_node(const NetworkEstimate& network) {
  if (!network.node) return {network.latency, network.bandwidth};
  return {network.node->latency, network.node->bandwidth};
}

std::uint32_t tree_rounds(std::uint32_t ranks) {
  return static_cast<std::uint32_t>(std::bit_width(ranks - 1));
}

std::uint32_t pipeline_segments(std::uint32_t forwarders, Bytes message) {
  constexpr double kLatencyTimesBandwidth = 65536;
  double best = std::sqrt(forwarders * static_cast<double>(message) / kLatencyTimesBandwidth);
  return static_cast<std::uint32_t>(std::clamp(std::round(best), 1.0, 65536.0));
}

double hypercube_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network) {
  double seconds = 0;
  for (std::uint32_t distance = 1; distance < ranks; distance *= 2)
    seconds += transfer_seconds(bytes * distance / ranks, network, flows_across(distance, network));
  return seconds;
}

double two_level_seconds(const Collective& collective, std::uint32_t group, const NetworkEstimate& network) {
  bool within = std::max(network.sharing, network.node_size) % group == 0;
  std::uint32_t groups = collective.ranks / group;
  double own = largest_block(collective, group);
  Collective chunk = collective;
  chunk.count = (collective.count + group - 1) / group;
  return 2 * (group - 1.0) * transfer_seconds(own, within ? within_node(network) : network) +
         2 * (groups - 1.0) *
             transfer_seconds(largest_block(chunk, groups), network, flows_ahead(group, network));
}

std::string refuses_nothing(const Collective&) { return ""; }

std::string refuses_unless_power_of_two(const Collective& collective) {
  if (std::has_single_bit(collective.ranks)) return "";
  return "needs a number of ranks that is a power of two, got " + std::to_string(collective.ranks);
}

std::string refuses_unless_grouped(const Collective& collective) {
  if (collective.ranks == 1) return "";
  if (collective.group <= 1) return "needs nodes of several ranks that are all alike, got nodes of 1";
  if (collective.ranks % collective.group == 0) return "";
  return "needs nodes that are full, got " + std::to_string(collective.ranks) + " ranks in nodes of " +
         std::to_string(collective.group);
}

}  // namespace traincast
