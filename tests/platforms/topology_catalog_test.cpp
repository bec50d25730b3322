#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/platforms/platform_helpers.hpp"

namespace traincast {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& json) {
  try {
    make_topology(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TopologyCatalog, EveryTableIsSoundAndHasABandwidth) {
  for (const EntryInfo& entry : topology_catalog().describe()) {
    EXPECT_EQ(table_error(entry.parameters), "") << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    bool has_bandwidth = false;
    for (const Parameter& parameter : entry.parameters) has_bandwidth |= parameter.key == "bandwidth";
    EXPECT_TRUE(has_bandwidth) << entry.name;
  }
}

TEST(TopologyCatalog, RefusesWhatItCannotMake) {
  EXPECT_THAT(refusal(R"({"name": "star"})"), HasSubstr("key 'bandwidth' is missing"));
  EXPECT_THAT(refusal(R"({"name": "star", "bandwidth": "0Gbps"})"), HasSubstr("/bandwidth: must lie in"));
  EXPECT_THAT(refusal(R"({"name": "star", "bandwidth": "1Gbps", "latency": "-1us"})"),
              HasSubstr("/latency: "));
  EXPECT_THAT(refusal(R"({"name": "gpu_nodes", "bandwidth": "1Gbps", "nics": "two"})"),
              HasSubstr("/nics: unknown word 'two'"));
  EXPECT_THAT(refusal(R"({"name": "parameter_server", "bandwidth": "1Gbps", "servers": 0})"),
              HasSubstr("/servers: must lie in"));
}

TEST(Star, TellsItsEstimates) {
  auto star = make_topology(R"({"name": "star", "bandwidth": "10Gbps"})");
  EXPECT_DOUBLE_EQ(star->longest_latency(8), 10e-6);
  EXPECT_DOUBLE_EQ(star->narrowest_bandwidth(8), 1.25e9);
  EXPECT_EQ(star->sharing(8), 1U);
  EXPECT_EQ(star->refuses(100'000), "");
}

TEST(GpuNodes, CountTheirNicOnlyBeyondOneNode) {
  auto nodes =
      make_topology(R"({"name": "gpu_nodes", "bandwidth": "100Gbps", "intra_bandwidth": "300GBps"})");
  EXPECT_DOUBLE_EQ(nodes->longest_latency(8), 2e-6);
  EXPECT_DOUBLE_EQ(nodes->narrowest_bandwidth(8), 300e9);
  EXPECT_EQ(nodes->sharing(8), 1U);
  EXPECT_DOUBLE_EQ(nodes->longest_latency(9), 10e-6);
  EXPECT_DOUBLE_EQ(nodes->narrowest_bandwidth(9), 12.5e9);
  EXPECT_EQ(nodes->sharing(9), 8U);
}

TEST(GpuNodes, ShareNothingWithANicPerGpu) {
  auto nodes = make_topology(R"({"name": "gpu_nodes", "bandwidth": "100Gbps", "nics": "per_gpu"})");
  EXPECT_EQ(nodes->sharing(64), 1U);
}

// A GPU's port that is slower than its part of the NIC is the narrowest link.
TEST(GpuNodes, MayBeNarrowestWithin) {
  auto nodes = make_topology(
      R"({"name": "gpu_nodes", "gpus_per_node": 2, "bandwidth": "80Gbps", "intra_bandwidth": "3GBps"})");
  EXPECT_DOUBLE_EQ(nodes->narrowest_bandwidth(8), 3e9);
  EXPECT_EQ(nodes->sharing(8), 1U);
}

}  // namespace
}  // namespace traincast
