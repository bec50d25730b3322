#include <vector>

#include "platforms/cluster_catalog.hpp"
#include "platforms/topologies.hpp"
#include "platforms/topology_parameters.hpp"

namespace traincast {

namespace {

constexpr Entry<MakeTopology> kTopologies[] = {
    {"star", "every learner has its own port on one switch", "", kStar, placed<make_star>},
    {"heterogeneous", "a star with groups of learners whose ports are faster or slower", "", kHeterogeneous,
     placed<make_heterogeneous>},
    {"ring", "learners linked to their two neighbours; messages to others cross the links between", "", kRing,
     placed<make_ring>},
    {"torus", "learners linked to their neighbours in any number of dimensions; dimension-order routes", "",
     kTorus, placed<make_torus>},
    {"fully_connected", "a link from every learner to every other", "", kFullyConnected,
     placed<make_fully_connected>},
    {"fat_tree", "switches in levels, with any oversubscription", "Zahavi 2010 (D-mod-K routing)", kFatTree,
     placed<make_fat_tree>},
    {"dragonfly", "groups of fully linked routers, every two groups linked; minimal routes",
     "Kim et al., ISCA 2008", kDragonfly, placed<make_dragonfly>},
    {"two_datacentres", "two stars of half the learners each, and one wide-area link", "", kTwoDatacentres,
     placed<make_two_datacentres>},
    {"gpu_nodes", "GPUs in nodes: fast ports within a node, one NIC or one per GPU between nodes", "",
     kGpuNodes, placed<make_gpu_nodes>},
    {"pcie_nodes", "GPUs in nodes whose PCIe ports carry traffic within the node and to its NICs", "",
     kPcieNodes, placed<make_pcie_nodes>},
    {"rail_optimised", "a NIC per GPU, the i-th of every node on rail i", "", kRailOptimised,
     placed<make_rail_optimised>},
    {"parameter_server", "a star whose switch also connects servers, which sum and do not learn",
     "Li et al. 2014, Scaling Distributed Machine Learning with the Parameter Server", kParameterServer,
     placed<make_parameter_server>},
    {"xml", "any SimGrid platform file; its hosts in order are the learners' places",
     "SimGrid 3.32, platform files of version 4.1", kXml, placed<make_xml>},
};

std::vector<Entry<MakeTopology>> topologies_and_clusters() {
  std::vector<Entry<MakeTopology>> all(std::begin(kTopologies), std::end(kTopologies));
  auto clusters = described_clusters();
  all.insert(all.end(), clusters.begin(), clusters.end());
  return all;
}

}  // namespace

const Catalog<MakeTopology>& topology_catalog() {
  static const std::vector<Entry<MakeTopology>> entries = topologies_and_clusters();
  static const Catalog<MakeTopology> catalog("topologies", "topology", entries);
  return catalog;
}

}  // namespace traincast
