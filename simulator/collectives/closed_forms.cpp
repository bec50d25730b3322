#include "simulator/collectives/closed_forms.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace traincast {

double transfer_seconds(double bytes, const NetworkEstimate& network, double flows) {
  auto whole = static_cast<Bytes>(std::llround(bytes));
  return network.latency + network.transport.latency_s(whole) +
         flows * bytes / network.transport.efficiency(whole) / network.bandwidth;
}

double reduction_seconds(double bytes, const NetworkEstimate& network, double flows) {
  return transfer_seconds(bytes, network, flows) + hop_seconds(HopWork::sum, bytes, network);
}

double hop_seconds(HopWork work, double bytes, const NetworkEstimate& network) {
  return network.transport.hop_s(work, static_cast<Bytes>(std::llround(bytes)));
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
  NetworkEstimate within = network;
  within.sharing = 1;
  within.neighbour_latency.reset();
  if (network.node) {
    within.latency = network.node->latency;
    within.bandwidth = network.node->bandwidth;
  }
  return within;
}

NetworkEstimate between_partners(std::uint32_t distance, const NetworkEstimate& network) {
  bool within = std::max(network.sharing, network.node_size) % (2 * distance) == 0;
  return within ? within_node(network) : network;
}

NetworkEstimate between_neighbours(const NetworkEstimate& network) {
  NetworkEstimate between = network;
  between.latency = network.neighbour_latency.value_or(network.latency);
  return between;
}

std::uint32_t tree_rounds(std::uint32_t ranks) {
  return static_cast<std::uint32_t>(std::bit_width(ranks - 1));
}

std::uint32_t pipeline_segments(std::uint32_t forwarders, Bytes message) {
  constexpr double kLatencyTimesBandwidth = 65536;
  double best = std::sqrt(forwarders * static_cast<double>(message) / kLatencyTimesBandwidth);
  return static_cast<std::uint32_t>(std::clamp(std::round(best), 1.0, 65536.0));
}

std::uint32_t chain_segments(std::uint32_t ranks, Bytes message) {
  return ranks > 2 ? pipeline_segments(ranks - 2, message) : 1;
}

std::uint32_t squarest_side(std::uint32_t ranks) {
  auto side = static_cast<std::uint32_t>(std::sqrt(static_cast<double>(ranks)));
  while (ranks % side != 0) --side;
  return side;
}

namespace {

double hypercube_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network,
                         double (*round)(double, const NetworkEstimate&, double)) {
  double seconds = 0;
  for (std::uint32_t distance = 1; distance < ranks; distance *= 2)
    seconds +=
        round(bytes * distance / ranks, between_partners(distance, network), flows_across(distance, network));
  return seconds;
}

}  // namespace

double halving_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network) {
  return hypercube_seconds(bytes, ranks, network, reduction_seconds);
}

double doubling_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network) {
  return hypercube_seconds(bytes, ranks, network, transfer_seconds);
}

double two_level_seconds(const Collective& collective, std::uint32_t group, const NetworkEstimate& network) {
  bool within = std::max(network.sharing, network.node_size) % group == 0;
  std::uint32_t groups = collective.ranks / group;
  double own = largest_block(collective, group);
  Collective chunk = collective;
  chunk.count = (collective.count + group - 1) / group;
  NetworkEstimate rows = within ? within_node(network) : network;
  double share = largest_block(chunk, groups), flows = flows_ahead(group, network);
  return (group - 1.0) * (reduction_seconds(own, rows) + transfer_seconds(own, rows)) +
         (groups - 1.0) *
             (reduction_seconds(share, network, flows) + transfer_seconds(share, network, flows));
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
