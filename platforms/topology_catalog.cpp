#include "platforms/topologies.hpp"

namespace traincast {

namespace {

constexpr std::string_view kAnyLatency = "[0s, 1000s]";
constexpr std::string_view kAnyBandwidth = "[1Bps, 1000000000GBps]";

constexpr Parameter kStar[] = {
    {"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired, "of each learner's port, per direction"},
    {"latency", Unit::duration, kAnyLatency, "5us", "of one link; a path has two"},
};

constexpr Parameter kGpuNodes[] = {
    {"gpus_per_node", Unit::count, "[1, 256]", "8", "learners in one node; the last may be partly filled"},
    {"bandwidth", Unit::bandwidth, kAnyBandwidth, kRequired, "of each NIC, per direction"},
    {"latency", Unit::duration, kAnyLatency, "5us", "of one NIC link; a path between nodes has two"},
    {"nics", Unit::word, "one|per_gpu", "one", "NICs of a node: one that its GPUs share, or one for each"},
    {"intra_bandwidth", Unit::bandwidth, kAnyBandwidth, "300GBps",
     "of each GPU's port within the node, per direction"},
    {"intra_latency", Unit::duration, kAnyLatency, "1us", "of one such link; a path within a node has two"},
};

constexpr Entry<MakeTopology> kTopologies[] = {
    {"star", "every learner has its own port on one switch", "", kStar, make_star},
    {"gpu_nodes", "GPUs in nodes: fast ports within a node, one NIC or one per GPU between nodes", "",
     kGpuNodes, make_gpu_nodes},
};

constexpr Planned kPlanned[] = {
    {"ring",
     "links that several hops share are not tried out yet; 'star' gives a ring all-reduce the same times"},
    {"torus", "multi-hop routes are not tried out yet"},
    {"fat_tree", "multi-hop routes and oversubscription are not tried out yet"},
    {"dragonfly", "multi-hop routes are not tried out yet"},
    {"fully_connected", "a link per pair is not modelled yet"},
    {"rail_optimised", "switches per rail are not modelled yet; 'gpu_nodes' with nics 'per_gpu' is near"},
    {"two_datacentres", "a shared wide-area link is not modelled yet"},
    {"parameter_server", "hosts that are no learners are not modelled yet"},
    {"heterogeneous", "links of unlike speed are not modelled yet"},
    {"xml", "SimGrid platform files carry no tiers and true latencies apart"},
};

constexpr Catalog<MakeTopology> kCatalog("topologies", "topology", kTopologies, kPlanned);

}  // namespace

const Catalog<MakeTopology>& topology_catalog() { return kCatalog; }

}  // namespace traincast
