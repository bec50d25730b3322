// The topologies that the catalog lists, one .cpp each; their parameters stand in the catalog.
#pragma once

#include "platforms/topology.hpp"

namespace traincast {

std::unique_ptr<Topology> make_star(const Parameters& parameters);
std::unique_ptr<Topology> make_heterogeneous(const Parameters& parameters);
std::unique_ptr<Topology> make_ring(const Parameters& parameters);
std::unique_ptr<Topology> make_torus(const Parameters& parameters);
std::unique_ptr<Topology> make_fully_connected(const Parameters& parameters);
std::unique_ptr<Topology> make_fat_tree(const Parameters& parameters);
std::unique_ptr<Topology> make_dragonfly(const Parameters& parameters);
std::unique_ptr<Topology> make_two_datacentres(const Parameters& parameters);
std::unique_ptr<Topology> make_gpu_nodes(const Parameters& parameters);
std::unique_ptr<Topology> make_pcie_nodes(const Parameters& parameters);
std::unique_ptr<Topology> make_xml(const Parameters& parameters);
std::unique_ptr<Topology> make_rail_optimised(const Parameters& parameters);
std::unique_ptr<Topology> make_parameter_server(const Parameters& parameters);

}  // namespace traincast
