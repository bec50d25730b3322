#include "platforms/cluster_catalog.hpp"

#include <gtest/gtest.h>

#include "tests/platforms/platform_helpers.hpp"

namespace traincast {
namespace {

std::unique_ptr<Topology> described(const std::string& name) {
  return make_topology("{\"name\": \"" + name + "\"}");
}

TEST(DescribedClusters, NeedNothingButTheirNameAndSayWhereTheirNumbersAreFrom) {
  for (const auto& entry : described_clusters()) {
    EXPECT_EQ(table_error(entry.parameters), "") << entry.name;
    EXPECT_FALSE(entry.source.empty()) << entry.name;
    auto topology = described(std::string(entry.name));
    for (std::uint32_t learners : {1U, 2U, 7U, 16U, 1024U}) {
      ASSERT_EQ(topology->refuses(learners), "") << entry.name;
      auto cluster = topology->build(learners);
      for (std::uint32_t to = 1; to < learners; ++to) EXPECT_FALSE(route(*cluster, 0, to).empty());
    }
  }
}

TEST(DescribedClusters, CanBeGivenOtherNumbers) {
  EXPECT_DOUBLE_EQ(
      make_topology(R"({"name": "v100_nodes_10g", "bandwidth": "40Gbps"})")->narrowest_bandwidth(16), 5e9);
}

double bandwidth(const Cluster& cluster, const std::string& link) {
  for (const Link& one : cluster.links())
    if (one.name == link) return one.bandwidth;
  ADD_FAILURE() << "no link " << link;
  return 0;
}

// Data sheets give NVLink both ways together, networks in bits.
TEST(DescribedClusters, HaveTheNumbersOfTheirSources) {
  EXPECT_DOUBLE_EQ(bandwidth(*described("v100_nodes_25g")->build(16), "nic-1_UP"), 25e9 / 8);
  EXPECT_DOUBLE_EQ(bandwidth(*described("v100_nodes_25g")->build(16), "nvlink-9_DOWN"), 300e9 / 2);
  EXPECT_DOUBLE_EQ(bandwidth(*described("dgx_a100")->build(16), "nic-15_UP"), 200e9 / 8);
  EXPECT_DOUBLE_EQ(bandwidth(*described("dgx_a100")->build(16), "nvlink-0_UP"), 600e9 / 2);
  EXPECT_DOUBLE_EQ(bandwidth(*described("dgx_h100")->build(16), "nic-15_UP"), 400e9 / 8);
  EXPECT_DOUBLE_EQ(bandwidth(*described("dgx_h100")->build(16), "nvlink-0_UP"), 900e9 / 2);
  EXPECT_DOUBLE_EQ(bandwidth(*described("powersgd_testbed")->build(16), "nic-7_UP"), 10e9 / 8);
  EXPECT_DOUBLE_EQ(bandwidth(*described("home_internet")->build(3), "port-2_UP"), 20e6 / 8);
  EXPECT_DOUBLE_EQ(bandwidth(*described("home_internet")->build(3), "port-2_DOWN"), 100e6 / 8);
}

}  // namespace
}  // namespace traincast
