#include "platforms/cluster_catalog.hpp"

#include "platforms/topologies.hpp"
#include "platforms/topology_parameters.hpp"

namespace traincast {

namespace {

// NVLink 2.0: six links of 25 GB/s per direction and GPU.
template <std::size_t N>
constexpr auto v100_nodes(const char (&ethernet)[N]) {
  return with_defaults(kGpuNodes, {{"gpus_per_node", "8"},
                                   {"bandwidth", std::string_view(ethernet, N - 1)},
                                   {"latency", "10us"},
                                   {"nics", "one"},
                                   {"intra_bandwidth", "150GBps"}});
}

template <std::size_t N>
constexpr auto single_v100(const char (&ethernet)[N]) {
  return with_defaults(kStar, {{"bandwidth", std::string_view(ethernet, N - 1)}, {"latency", "10us"}});
}

constexpr auto kV100Nodes10 = v100_nodes("10Gbps");
constexpr auto kV100Nodes25 = v100_nodes("25Gbps");
constexpr auto kV100Nodes100 = v100_nodes("100Gbps");
constexpr auto kSingleV100At1 = single_v100("1Gbps");
constexpr auto kSingleV100At10 = single_v100("10Gbps");
constexpr auto kSingleV100At25 = single_v100("25Gbps");

constexpr auto kDgxA100 = with_defaults(
    kRailOptimised,
    {{"gpus_per_node", "8"}, {"bandwidth", "200Gbps"}, {"latency", "1us"}, {"intra_bandwidth", "300GBps"}});
constexpr auto kDgxH100 = with_defaults(
    kRailOptimised,
    {{"gpus_per_node", "8"}, {"bandwidth", "400Gbps"}, {"latency", "1us"}, {"intra_bandwidth", "450GBps"}});

constexpr auto kPowerSgdTestbed = with_defaults(
    kPcieNodes, {{"gpus_per_node", "2"}, {"bandwidth", "10Gbps"}, {"latency", "10us"}, {"nics", "one"}});

constexpr auto kHomeInternet = with_defaults(kHeterogeneous, {{"bandwidth", "100Mbps"},
                                                              {"latency", "10ms"},
                                                              {"learners", "[65536]"},
                                                              {"percents", "[100]"},
                                                              {"upload_percents", "[20]"}});

constexpr std::string_view kV100Source =
    "GPUs: NVIDIA Tesla V100 data sheet, NVLink 300 GB/s both ways together; assumptions: the Ethernet's "
    "speed, a switch between the GPUs instead of the hybrid cube mesh, all latencies";

constexpr Entry<MakeTopology> kClusters[] = {
    {"v100_nodes_10g", "nodes of 8 V100 with NVLink, 10 Gb/s Ethernet", kV100Source, kV100Nodes10,
     placed<make_gpu_nodes>},
    {"v100_nodes_25g", "nodes of 8 V100 with NVLink, 25 Gb/s Ethernet, as AWS p3.16xlarge",
     "network: Amazon EC2 P3 instances, p3.16xlarge; GPUs: NVIDIA Tesla V100 data sheet, NVLink 300 GB/s "
     "both "
     "ways together; assumptions: a switch between the GPUs instead of the hybrid cube mesh, all latencies",
     kV100Nodes25, placed<make_gpu_nodes>},
    {"v100_nodes_100g", "nodes of 8 V100 with NVLink, 100 Gb/s Ethernet, as AWS p3dn.24xlarge",
     "network: Amazon EC2 P3 instances, p3dn.24xlarge; GPUs: NVIDIA Tesla V100 data sheet, NVLink 300 GB/s "
     "both ways together; assumptions: a switch between the GPUs instead of the hybrid cube mesh, all "
     "latencies",
     kV100Nodes100, placed<make_gpu_nodes>},
    {"single_v100_1g", "one V100 per machine, 1 Gb/s Ethernet", "assumptions throughout", kSingleV100At1,
     placed<make_star>},
    {"single_v100_10g", "one V100 per machine, 10 Gb/s Ethernet, the most that AWS p3.2xlarge has",
     "network: Amazon EC2 P3 instances, p3.2xlarge, \"up to 10 Gbps\"; assumptions: that it is there all the "
     "time, all latencies",
     kSingleV100At10, placed<make_star>},
    {"single_v100_25g", "one V100 per machine, 25 Gb/s Ethernet", "assumptions throughout", kSingleV100At25,
     placed<make_star>},
    {"dgx_a100", "DGX A100: 8 GPUs with NVSwitch, a rail of 200 Gb/s for each",
     "NVIDIA DGX A100 data sheet: NVLink 600 GB/s both ways together, 8 ConnectX-6 of 200 Gb/s; assumptions: "
     "all latencies, one switch a rail however many nodes",
     kDgxA100, placed<make_rail_optimised>},
    {"dgx_h100", "DGX H100: 8 GPUs with NVSwitch, a rail of 400 Gb/s for each",
     "NVIDIA DGX H100 data sheet: NVLink 900 GB/s both ways together, 8 ConnectX-7 of 400 Gb/s; assumptions: "
     "all latencies, one switch a rail however many nodes",
     kDgxH100, placed<make_rail_optimised>},
    {"powersgd_testbed", "the PowerSGD paper's machines: 8 of 2 GPUs, 10 Gb/s Ethernet",
     "Vogels et al., NeurIPS 2019, experimental setup: 16 GPUs on 8 machines, 10 Gb/s; assumptions: 16 lanes "
     "of PCIe 3.0 for each GPU, all latencies, more machines than 8 are like them",
     kPowerSgdTestbed, placed<make_pcie_nodes>},
    {"home_internet", "learners at home, 100 Mb/s down and 20 Mb/s up",
     "FCC 2024, benchmark of fixed broadband: 100/20 Mb/s; assumptions: that a home has just this, all "
     "latencies",
     kHomeInternet, placed<make_heterogeneous>},
};

}  // namespace

std::span<const Entry<MakeTopology>> described_clusters() { return kClusters; }

}  // namespace traincast
