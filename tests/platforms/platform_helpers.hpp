// Topologies and clusters by the door that scenarios use, and questions about their routes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platforms/topology.hpp"

namespace traincast {

inline std::unique_ptr<Topology> make_topology(const std::string& json) {
  Json value = Json::parse(json, "test");
  JsonReader reader(value, "test");
  const auto& entry = topology_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters));
}

inline std::unique_ptr<Cluster> build(const std::string& json, std::uint32_t learners) {
  return make_topology(json)->build(learners);
}

inline std::vector<LinkId> route(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  std::vector<LinkId> links;
  cluster.route(from, to, links);
  return links;
}

/// "port-0_UP port-3_DOWN"
inline std::string path(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  std::string text;
  for (LinkId link : route(cluster, from, to)) text += (text.empty() ? "" : " ") + cluster.links()[link].name;
  return text;
}

inline std::size_t hops(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  return route(cluster, from, to).size();
}

/// The most flows on any link of a tier, when each learner sends to the one that many ranks on.
inline std::size_t most_flows(const Cluster& cluster, std::uint32_t distance, const std::string& tier) {
  std::vector<std::size_t> flows(cluster.links().size());
  std::size_t most = 0;
  for (std::uint32_t from = 0; from < cluster.learners(); ++from)
    for (LinkId link : route(cluster, from, (from + distance) % cluster.learners()))
      if (cluster.links()[link].tier == tier) most = std::max(most, ++flows[link]);
  return most;
}

/// One of every entry of the catalog, and variants, that hold 64 learners or more.
struct Example {
  const char* name;
  const char* json;
};
inline constexpr Example kExamples[] = {
    {"star", R"({"name": "star", "bandwidth": "1GBps", "latency": "10us"})"},
    {"heterogeneous",
     R"({"name": "heterogeneous", "bandwidth": "1GBps", "learners": [32, 32], "percents": [100, 25],
         "upload_percents": [100, 10]})"},
    {"parameter_server", R"({"name": "parameter_server", "bandwidth": "1GBps", "servers": 3})"},
    {"ring", R"({"name": "ring", "bandwidth": "1GBps"})"},
    {"torus", R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [4, 4, 4]})"},
    {"torus_uneven", R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [5, 2, 1, 7]})"},
    {"fully_connected", R"({"name": "fully_connected", "bandwidth": "1GBps"})"},
    {"fat_tree", R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [4, 4, 4], "up": [2, 4]})"},
    {"fat_tree_ecmp",
     R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [8, 8], "up": [4], "routing": "ecmp"})"},
    {"dragonfly",
     R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 9, "routers_per_group": 4,
         "learners_per_router": 2, "global_latency": "3us"})"},
    {"two_datacentres", R"({"name": "two_datacentres", "bandwidth": "1GBps", "wan_bandwidth": "2GBps"})"},
    {"gpu_nodes", R"({"name": "gpu_nodes", "bandwidth": "1GBps"})"},
    {"gpu_nodes_fat_tree",
     R"({"name": "gpu_nodes", "bandwidth": "1GBps", "nics": "per_gpu", "fabric": "fat_tree", "down": [16, 4],
         "up": [8]})"},
    {"pcie_nodes", R"({"name": "pcie_nodes", "bandwidth": "1GBps", "gpus_per_node": 4})"},
    {"rail_optimised", R"({"name": "rail_optimised", "bandwidth": "1GBps", "gpus_per_node": 4})"},
    {"rail_optimised_spine",
     R"({"name": "rail_optimised", "bandwidth": "1GBps", "gpus_per_node": 4, "between_rails": "spine",
         "oversubscription": 2})"},
    {"xml", "{\"name\": \"xml\", \"path\": \"" TRAINCAST_SOURCE_DIR "/tests/platforms/cluster_of_72.xml\"}"},
    {"torus_round_robin",
     R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [8, 8], "placement": "round_robin"})"},
    {"dragonfly_random",
     R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 9, "routers_per_group": 4,
         "learners_per_router": 2, "placement": "random", "placement_seed": 7})"},
    {"gpu_nodes_random", R"({"name": "gpu_nodes", "bandwidth": "1GBps", "placement": "random"})"},
    {"gpu_nodes_dragonfly",
     R"({"name": "gpu_nodes", "bandwidth": "1GBps", "gpus_per_node": 2, "fabric": "dragonfly",
         "dragonfly": [4, 4, 2]})"},
};

}  // namespace traincast
