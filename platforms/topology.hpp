// The interface of a kind of network: it builds clusters of any number of learners that it can hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/catalog.hpp"
#include "platforms/cluster.hpp"

namespace traincast {

class Topology {
 public:
  virtual ~Topology() = default;

  /// "" or why it cannot hold this many learners.
  virtual std::string refuses(std::uint32_t learners) const = 0;

  /// Only for numbers of learners that it does not refuse.
  virtual std::unique_ptr<Cluster> build(std::uint32_t learners) const = 0;

  /// How many learners each node or switch has places for, in order of their places, when there are that many
  /// learners: at least as many places. Empty where every learner is alone on its own.
  virtual std::vector<std::uint32_t> groups(std::uint32_t learners) const;

  /// Hosts that sum and do not learn, whatever the number of learners.
  virtual std::uint32_t servers() const { return 0; }

  /// Learners that make a node or sit at a switch: learner r is on node ⌊r/size⌋. 1 where these are not all
  /// of one size, and full, or learners are not placed in order.
  virtual std::uint32_t node_size(std::uint32_t learners) const;

  /// For choosing algorithms, with at least two learners: latency of the longest route, bandwidth of the
  /// narrowest link while every learner sends to its neighbour, and by how much that is divided when all send
  /// far. Unless a topology knows better, these are taken from the routes of a built cluster: between all
  /// pairs, and for many learners between those whose distance is a power of two.
  virtual double longest_latency(std::uint32_t learners) const;
  virtual double narrowest_bandwidth(std::uint32_t learners) const;
  virtual std::uint32_t sharing(std::uint32_t learners) const;
  /// Likewise: latency of the longest route between learners that follow one another, and by how much the
  /// narrowest link's bandwidth is divided when all send to both at once: 1 where either way has links of its
  /// own.
  double neighbour_latency(std::uint32_t learners) const;
  std::uint32_t neighbour_flows(std::uint32_t learners) const;
  /// Likewise between the first `node` of the learners alone.
  struct Within {
    double longest_latency, narrowest_bandwidth;
  };
  Within within_node(std::uint32_t learners, std::uint32_t node) const;
};

using MakeTopology = std::unique_ptr<Topology> (*)(const Parameters&);

/// Topologies by name. Every one has a parameter "bandwidth": the network between machines, which break-even
/// searches vary.
const Catalog<MakeTopology>& topology_catalog();

}  // namespace traincast
