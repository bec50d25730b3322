// The parameters of each topology: what the catalog lists, and what described clusters give numbers for.
#pragma once

#include <array>
#include <memory>

#include "base/parameter_defaults.hpp"
#include "platforms/placement.hpp"
#include "platforms/topology.hpp"

namespace traincast {

inline constexpr std::string_view kAnyLatency = "[0s, 1000s]";
inline constexpr std::string_view kAnyBandwidth = "[1Bps, 1000000000GBps]";

// Every topology can have its learners placed.
template <std::size_t N>
constexpr std::array<Parameter, N + 2> placeable(const Parameter (&own)[N]) {
  std::array<Parameter, N + 2> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = own[i];
  all[N] = {"placement", Unit::word, "contiguous|round_robin|random", "contiguous",
            "learners fill places in order, are dealt out to nodes or switches, or drawn"};
  all[N + 1] = {"placement_seed", Unit::count, "[0, 1000000000]", "1", "of placement 'random'"};
  return all;
}

inline constexpr Parameter kPortBandwidth{"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired,
                                          "of each learner's port, per direction"};
inline constexpr Parameter kLinkBandwidth{"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired,
                                          "of each link, per direction"};
inline constexpr Parameter kNicBandwidth{"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired,
                                         "of each NIC, per direction"};
inline constexpr Parameter kStarLatency{"latency", Unit::duration, kAnyLatency, "5us",
                                        "of one link; a path has two"};
inline constexpr Parameter kLinkLatency{"latency", Unit::duration, kAnyLatency, "1us", "of one link"};
inline constexpr Parameter kNicLatency{"latency", Unit::duration, kAnyLatency, "5us",
                                       "of one NIC link; a path between nodes has two"};
inline constexpr Parameter kGpusPerNode{"gpus_per_node", Unit::count, "[1, 256]", "8",
                                        "learners in one node; the last may be partly filled"};
inline constexpr Parameter kNics{"nics", Unit::word, "one|per_gpu", "one",
                                 "NICs of a node: one that its GPUs share, or one for each"};
inline constexpr Parameter kFabric{"fabric", Unit::word, "star|fat_tree|dragonfly", "star",
                                   "what connects the NICs"};
inline constexpr Parameter kFabricDragonfly{
    "dragonfly", Unit::counts, "[1, 4096]", "[]",
    "of a dragonfly: groups, routers of a group, NICs of a router; every two groups have one cable"};
inline constexpr Parameter kFabricDown{"down", Unit::counts, "[1, 65536]", "[]",
                                       "of a fat tree: ports down of a switch at each level, leaves first"};
inline constexpr Parameter kFabricUp{"up", Unit::counts, "[1, 65536]", "[]",
                                     "of a fat tree: ports up at each level but the highest"};
inline constexpr Parameter kRouting{
    "routing", Unit::word, "deterministic|ecmp", "deterministic",
    "of a fat tree: by destination (D-mod-K), or drawn for each pair of ends"};
inline constexpr Parameter kRoutingSeed{"routing_seed", Unit::count, "[0, 1000000000]", "1",
                                        "of routing 'ecmp'"};

inline constexpr auto kStar = placeable({kPortBandwidth, kStarLatency});

inline constexpr auto kParameterServer = placeable({
    kPortBandwidth,
    kStarLatency,
    {"servers", Unit::count, "[1, 65536]", "1", "hosts behind the learners, which carry push_pull"},
    {"server_percent", Unit::count, "[1, 1000000]", "100", "of the bandwidth that each server's port has"},
});

inline constexpr auto kHeterogeneous = placeable({
    {"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired,
     "what the percents are of, for each learner's port"},
    kStarLatency,
    {"learners", Unit::counts, "[1, 1000000]", kRequired, "of each group, in order of rank"},
    {"percents", Unit::counts, "[1, 100000]", kRequired, "of the bandwidth that each group's ports have"},
    {"upload_percents", Unit::counts, "[1, 100000]", "[]", "likewise away from the learner; [] for equal"},
});

inline constexpr auto kRing = placeable({kLinkBandwidth, kLinkLatency});

inline constexpr auto kTorus = placeable({
    {"dimensions", Unit::counts, "[1, 65536]", kRequired, "learners along each dimension, as in [4, 4, 4]"},
    kLinkBandwidth,
    kLinkLatency,
});

inline constexpr auto kFullyConnected = placeable({kLinkBandwidth, kLinkLatency});

inline constexpr auto kFatTree = placeable({
    kLinkBandwidth,
    kLinkLatency,
    {"down", Unit::counts, "[1, 65536]", kRequired,
     "ports down of a switch at each level, leaves first; [16, 64]: 64 leaves of 16 learners"},
    {"up", Unit::counts, "[1, 65536]", kRequired,
     "ports up at each level but the highest; [8] above 16 learners is oversubscribed 2:1"},
    kRouting,
    kRoutingSeed,
});

inline constexpr auto kDragonfly = placeable({
    {"groups", Unit::count, "[1, 4096]", kRequired, "every two have a bundle of cables between them"},
    {"routers_per_group", Unit::count, "[1, 1024]", kRequired, "each linked to all others of its group"},
    {"learners_per_router", Unit::count, "[1, 1024]", kRequired, "each with a port of its own"},
    {"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired, "of each port and cable, per direction"},
    kLinkLatency,
    {"global_cables", Unit::count, "[1, 1024]", "1", "in the bundle between two groups"},
    {"global_latency", Unit::duration, kAnyLatency, "1us", "of a cable between groups"},
});

inline constexpr auto kTwoDatacentres = placeable({
    kPortBandwidth,
    kStarLatency,
    {"wan_bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired,
     "of the one link between the centres, per direction"},
    {"wan_latency", Unit::duration, kAnyLatency, "10ms", "of that link, one way"},
});

inline constexpr auto kGpuNodes = placeable({
    kGpusPerNode,
    kNicBandwidth,
    kNicLatency,
    kNics,
    {"intra_bandwidth", Unit::bandwidth, kAnyBandwidth, "300GBps",
     "of each GPU's port within the node, per direction"},
    {"intra_latency", Unit::duration, kAnyLatency, "1us", "of one such link; a path within a node has two"},
    kFabric,
    kFabricDown,
    kFabricUp,
    kRouting,
    kRoutingSeed,
    kFabricDragonfly,
});

inline constexpr auto kPcieNodes = placeable({
    kGpusPerNode,
    kNicBandwidth,
    kNicLatency,
    kNics,
    {"pcie_bandwidth", Unit::bandwidth, kAnyBandwidth, "15.75GBps",
     "of each GPU's PCIe port, per direction; the default is 16 lanes of PCIe 3.0"},
    {"pcie_latency", Unit::duration, kAnyLatency, "1us", "of one such port; every path has two"},
    kFabric,
    kFabricDown,
    kFabricUp,
    kRouting,
    kRoutingSeed,
    kFabricDragonfly,
});

inline constexpr auto kRailOptimised = placeable({
    kGpusPerNode,
    kNicBandwidth,
    {"latency", Unit::duration, kAnyLatency, "5us", "of one NIC link or one link to the spine"},
    {"intra_bandwidth", Unit::bandwidth, kAnyBandwidth, "300GBps",
     "of each GPU's port within the node, per direction"},
    {"intra_latency", Unit::duration, kAnyLatency, "1us", "of one such link; a path within a node has two"},
    {"between_rails", Unit::word, "nvlink|spine", "nvlink",
     "how messages change rails: over NVLink in their node, or over spine switches"},
    {"oversubscription", Unit::ratio, "[1, 1000]", "1",
     "bandwidth of a rail's NICs over that of its links to the spine"},
});

inline constexpr auto kXml = placeable({
    {"path", Unit::path, "", kRequired, "the platform file, relative to the scenario file"},
    {"bandwidth", Unit::bandwidth, "[0Bps, 1000000000GBps]", "0Bps",
     "of the links that bandwidth_of names; 0Bps leaves them as in the file"},
    {"bandwidth_of", Unit::word, "", "",
     "tier, which is a link's name without its number, as 'eth' of eth-1; empty for all links"},
});

template <MakeTopology make>
std::unique_ptr<Topology> placed(const Parameters& parameters) {
  return place(make(parameters), parameters);
}

}  // namespace traincast
