// Each topology's own numbers: hops between ranks by name, what shares a link, what it refuses.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/platforms/platform_helpers.hpp"

namespace traincast {
namespace {

std::string refused(const std::string& json, std::uint32_t learners) {
  return make_topology(json)->refuses(learners);
}

TEST(Star, CrossesTheSendersPortUpAndTheReceiversDown) {
  EXPECT_EQ(path(*build(R"({"name": "star", "bandwidth": "1GBps"})", 8), 2, 5), "port-2_UP port-5_DOWN");
}

TEST(Ring, GoesTheShorterWayAround) {
  auto ring = build(R"({"name": "ring", "bandwidth": "1GBps", "latency": "1us"})", 8);
  EXPECT_EQ(path(*ring, 6, 1), "link-6+0 link-7+0 link-0+0");
  EXPECT_EQ(path(*ring, 1, 6), "link-1-0 link-0-0 link-7-0");
  EXPECT_EQ(hops(*ring, 0, 4), 4U) << "both ways are equally long";
  // ⌊N/2⌋ hops of 1 us.
  EXPECT_NEAR(make_topology(R"({"name": "ring", "bandwidth": "1GBps"})")->longest_latency(8), 4e-6, 1e-15);
}

// A learner's message to the d-th next crosses d links, so that each carries d of them, as long as d < N/2.
TEST(Ring, SharesEachLinkAmongAllThatGoFar) {
  auto ring = build(R"({"name": "ring", "bandwidth": "1GBps"})", 16);
  for (std::uint32_t distance : {1U, 2U, 7U}) EXPECT_EQ(most_flows(*ring, distance, "network"), distance);
  EXPECT_EQ(most_flows(*ring, 15, "network"), 1U) << "one back";
}

TEST(Torus, GoesDimensionByDimension) {
  auto torus = build(R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [4, 4]})", 16);
  // Rank 1 is at (1, 0), rank 11 at (3, 2): two links along the first dimension, two along the second.
  EXPECT_EQ(path(*torus, 1, 11), "link-1+0 link-2+0 link-3+1 link-7+1");
  EXPECT_EQ(path(*torus, 0, 3), "link-0-0") << "around the edge";
  EXPECT_EQ(path(*torus, 0, 12), "link-0-1");
}

// The distances along the dimensions, each ⌊size/2⌋ at most, add up.
TEST(Torus, IsAsWideAsHalfOfEachDimension) {
  auto torus = build(R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [4, 6, 5]})", 120);
  std::size_t most = 0;
  for (std::uint32_t to = 1; to < 120; ++to) most = std::max(most, hops(*torus, 0, to));
  EXPECT_EQ(most, 2U + 3 + 2);
}

// A cut across a k×k torus's longer half crosses 2k cables. Each of the k² learners sends half way along the
// first dimension: on a line of k, k flows of k/2 links each, all upwards, on k links.
TEST(Torus, CarriesHalfASideOfFlowsOnALinkWhenAllSendHalfWay) {
  auto torus = build(R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [8, 8]})", 64);
  std::map<LinkId, int> flows;
  for (std::uint32_t from = 0; from < 64; ++from)
    for (LinkId link : route(*torus, from, from / 8 * 8 + (from % 8 + 4) % 8)) ++flows[link];
  for (auto [link, count] : flows) EXPECT_EQ(count, 4) << torus->links()[link].name;
  EXPECT_EQ(flows.size(), 64U);
}

TEST(Torus, RefusesMoreLearnersThanPlaces) {
  const char* json = R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [4, 4]})";
  EXPECT_EQ(refused(json, 16), "");
  EXPECT_EQ(refused(json, 17), "a torus of 4 x 4 has 16 places, and 17 are needed");
  EXPECT_EQ(refused(R"({"name": "torus", "bandwidth": "1GBps", "dimensions": []})", 2),
            "a torus needs the size of at least one dimension, as in \"dimensions\": [4, 4]");
  EXPECT_EQ(refused(R"({"name": "torus", "bandwidth": "1GBps", "dimensions": [65536, 65536, 65536]})", 2),
            "a torus may have 4194304 places times dimensions at most");
}

TEST(FullyConnected, HasALinkOfItsOwnForEveryPair) {
  auto all = build(R"({"name": "fully_connected", "bandwidth": "1GBps"})", 9);
  EXPECT_EQ(all->links().size(), 9U * 8);
  std::set<LinkId> used;
  for (std::uint32_t from = 0; from < 9; ++from)
    for (std::uint32_t to = 0; to < 9; ++to)
      if (from != to) {
        EXPECT_EQ(path(*all, from, to), std::to_string(from) + "-" + std::to_string(to));
        used.insert(route(*all, from, to).front());
      }
  EXPECT_EQ(used.size(), 9U * 8);
}

TEST(FullyConnected, RefusesMoreThanATableOfLinksCanHold) {
  EXPECT_EQ(refused(R"({"name": "fully_connected", "bandwidth": "1GBps"})", 1025),
            "'fully_connected' has a link for every two learners, and holds 1024 learners at most, got 1025");
}

constexpr const char* kThreeLevels =
    R"({"name": "fat_tree", "bandwidth": "1GBps", "latency": "1us", "down": [4, 4, 4], "up": [4, 4]})";

// Under one leaf two links; under one switch of the second level four; through the top six.
TEST(FatTree, ClimbsToTheFirstLevelThatHasBothBelowIt) {
  auto tree = build(kThreeLevels, 64);
  EXPECT_EQ(path(*tree, 0, 3), "port-0_UP port-3_DOWN");
  EXPECT_EQ(hops(*tree, 0, 4), 4U);
  EXPECT_EQ(hops(*tree, 0, 15), 4U);
  EXPECT_EQ(hops(*tree, 0, 16), 6U);
  EXPECT_NEAR(make_topology(kThreeLevels)->longest_latency(64), 6e-6, 1e-15);
}

// Leaves: 16, each with 4 cables up; second level: 4 parts of 4 copies, each with 4 up. Both directions.
TEST(FatTree, HasTheCablesOfItsSwitches) {
  EXPECT_EQ(build(kThreeLevels, 64)->links().size(), 2U * (64 + 16 * 4 + 4 * 4 * 4));
}

// What comes up from one switch arrives at the switch from which the way down starts: cables that carry a
// route up and down belong to the same copies, so that every route between two leaves has as many ups as
// downs.
TEST(FatTree, ComesDownFromWhereItWentUp) {
  auto tree = build(kThreeLevels, 64);
  for (std::uint32_t to = 1; to < 64; ++to) {
    auto links = route(*tree, 0, to);
    for (std::size_t i = 0; i < links.size(); ++i) {
      bool up = tree->links()[links[i]].name.ends_with("_UP");
      EXPECT_EQ(up, i < links.size() / 2) << path(*tree, 0, to);
    }
  }
}

// D-mod-K: every shift permutation of a full fat tree is free of contention (Zahavi 2010, theorem 1).
TEST(FatTree, CarriesEveryShiftWithoutContentionWhenNotOversubscribed) {
  auto tree = build(kThreeLevels, 64);
  for (std::uint32_t shift = 1; shift < 64; ++shift)
    EXPECT_EQ(most_flows(*tree, shift, "fabric"), 1U) << shift;
}

// 16 learners below 8, 4 or 2 cables: 2:1, 4:1 and 8:1 when all leave their leaf.
TEST(FatTree, SharesCablesByItsOversubscription) {
  for (std::uint32_t up : {8U, 4U, 2U}) {
    std::string json =
        R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [16, 4], "up": [)" + std::to_string(up) + "]}";
    auto tree = build(json, 64);
    EXPECT_EQ(most_flows(*tree, 16, "fabric"), 16 / up);
    EXPECT_EQ(most_flows(*tree, 32, "fabric"), 16 / up);
    EXPECT_EQ(most_flows(*tree, 1, "fabric"), 1U) << "one learner of each leaf sends to the next";
    EXPECT_EQ(make_topology(json)->sharing(64), 16 / up);
  }
}

// 64 pairs of learners in unlike leaves draw among 8 cables per leaf: not all the same, the same again for
// the same seed, others for another.
TEST(FatTree, DrawsPathsBySeedWithEcmp) {
  auto with = [](const std::string& routing) {
    return build(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [8, 8], "up": [8])" + routing + "}",
                 64);
  };
  auto one = with(R"(, "routing": "ecmp")"), same = with(R"(, "routing": "ecmp", "routing_seed": 1)"),
       other = with(R"(, "routing": "ecmp", "routing_seed": 2)"), fixed = with("");
  int differ = 0, moved = 0;
  for (std::uint32_t from = 0; from < 64; ++from) {
    std::uint32_t to = (from + 8) % 64;
    EXPECT_EQ(route(*one, from, to), route(*same, from, to));
    differ += route(*one, from, to) != route(*other, from, to);
    moved += route(*one, from, to) != route(*fixed, from, to);
  }
  // Each stays the same with probability 1/8: 56 of 64 move, give or take 2.6.
  EXPECT_NEAR(differ, 56, 11);
  EXPECT_NEAR(moved, 56, 11);
  EXPECT_GT(most_flows(*one, 8, "fabric"), 1U) << "drawn paths collide";
  EXPECT_EQ(most_flows(*fixed, 8, "fabric"), 1U);
}

TEST(FatTree, RefusesWhatDoesNotFit) {
  EXPECT_EQ(refused(kThreeLevels, 65), "a fat tree with these 'down' has 64 places, and 65 are needed");
  EXPECT_EQ(refused(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [4, 4], "up": []})", 4),
            "a fat tree has one more level in 'down' than in 'up', as in \"down\": [16, 64], \"up\": [8]");
  EXPECT_EQ(refused(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [], "up": []})", 4),
            "a fat tree has one more level in 'down' than in 'up', as in \"down\": [16, 64], \"up\": [8]");
  EXPECT_EQ(
      refused(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [4, 4], "up": [4], "routing_seed": 3})",
              4),
      "'routing_seed' is for \"routing\": \"ecmp\"");
  EXPECT_EQ(refused(R"({"name": "fat_tree", "bandwidth": "1GBps", "down": [65536, 65536, 65536],
                        "up": [65536, 65536]})",
                    4),
            "a fat tree may have 4194304 hosts and cables at most");
}

constexpr const char* kDragonfly =
    R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 9, "routers_per_group": 4,
        "learners_per_router": 2, "latency": "1us", "global_latency": "5us"})";

// 8 bundles on 4 routers: router r of a group holds those to the groups 1 + r and 5 + r further on.
TEST(Dragonfly, TakesAtMostOneLinkWithinEachGroupAndOneBetween) {
  auto dragonfly = build(kDragonfly, 72);
  EXPECT_EQ(path(*dragonfly, 0, 1), "port-0_UP port-1_DOWN");
  EXPECT_EQ(path(*dragonfly, 0, 2), "port-0_UP local-0-0-1 port-2_DOWN");
  // Learner 0 is on router 0 of group 0, which holds the bundle to group 1; there it ends at the router for
  // the group 8 further on, which is the last.
  EXPECT_EQ(path(*dragonfly, 0, 8), "port-0_UP global-0-1 local-1-3-0 port-8_DOWN");
  EXPECT_EQ(path(*dragonfly, 0, 16), "port-0_UP local-0-0-1 global-0-2 local-2-2-0 port-16_DOWN");
  EXPECT_NEAR(make_topology(kDragonfly)->longest_latency(72), 4e-6 + 5e-6, 1e-15);
}

// All 8 learners of a group send to the next group: on the one bundle, which is as wide as its cables.
TEST(Dragonfly, SharesTheBundleBetweenTwoGroups) {
  EXPECT_EQ(most_flows(*build(kDragonfly, 72), 8, "global"), 8U);
  auto wide = build(R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 2, "routers_per_group": 2,
                        "learners_per_router": 2, "global_cables": 3})",
                    8);
  for (const Link& link : wide->links())
    EXPECT_DOUBLE_EQ(link.bandwidth, link.tier == "global" ? 3e9 : 1e9) << link.name;
}

// More groups than routers: SimGrid's own dragonfly crashes on these.
TEST(Dragonfly, MayHaveMoreGroupsThanRouters) {
  auto dragonfly = build(R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 20, "routers_per_group": 2,
                             "learners_per_router": 1})",
                         40);
  for (std::uint32_t to = 1; to < 40; ++to) EXPECT_LE(hops(*dragonfly, 0, to), 5U);
}

TEST(Dragonfly, RefusesMoreLearnersThanPlaces) {
  EXPECT_EQ(refused(kDragonfly, 73),
            "a dragonfly of 9 groups of 4 routers with 2 ports has 72 places, and 73 are needed");
  EXPECT_EQ(refused(R"({"name": "dragonfly", "bandwidth": "1GBps", "groups": 4096, "routers_per_group": 1024,
                        "learners_per_router": 1024})",
                    4),
            "a dragonfly may have 4194304 places and links at most");
}

TEST(TwoDatacentres, CrossTheWideAreaLinkOnlyBetweenThem) {
  auto two = build(R"({"name": "two_datacentres", "bandwidth": "1GBps", "wan_bandwidth": "1GBps"})", 7);
  EXPECT_EQ(path(*two, 0, 3), "port-0_UP port-3_DOWN") << "four of seven are in the first";
  EXPECT_EQ(path(*two, 3, 4), "port-3_UP wan-0_UP port-4_DOWN");
  EXPECT_EQ(path(*two, 4, 3), "port-4_UP wan-0_DOWN port-3_DOWN");
  EXPECT_EQ(path(*two, 4, 6), "port-4_UP port-6_DOWN");
  EXPECT_EQ(
      most_flows(*build(R"({"name": "two_datacentres", "bandwidth": "1GBps", "wan_bandwidth": "1GBps"})", 16),
                 8, "wan"),
      8U);
}

TEST(Heterogeneous, GivesEachGroupItsShareOfTheBandwidth) {
  const char* json = R"({"name": "heterogeneous", "bandwidth": "1GBps", "learners": [2, 1],
                         "percents": [100, 50], "upload_percents": [100, 5]})";
  auto cluster = build(json, 3);
  std::map<std::string, double> bandwidth;
  for (const Link& link : cluster->links()) bandwidth[link.name] = link.bandwidth;
  EXPECT_DOUBLE_EQ(bandwidth.at("port-1_UP"), 1e9);
  EXPECT_DOUBLE_EQ(bandwidth.at("port-2_DOWN"), 0.5e9);
  EXPECT_DOUBLE_EQ(bandwidth.at("port-2_UP"), 0.05e9);
  EXPECT_NEAR(make_topology(json)->narrowest_bandwidth(3), 0.05e9, 1);
  EXPECT_EQ(refused(json, 4), "the groups hold 3 learners, and 4 are needed");
  EXPECT_EQ(
      refused(R"({"name": "heterogeneous", "bandwidth": "1GBps", "learners": [2, 1], "percents": [100]})", 3),
      "'learners' and 'percents' need one number for each group, and 'upload_percents' as many or none");
}

TEST(GpuNodes, CrossAFatTreeBetweenTheirNics) {
  // Nodes of 2 with a NIC each, 2 NICs a leaf: ranks 0 and 2 meet in a leaf, 0 and 4 above it.
  auto nodes = build(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "gpus_per_node": 2, "fabric": "fat_tree",
                         "down": [2, 2], "up": [1]})",
                     8);
  EXPECT_EQ(path(*nodes, 0, 1), "nvlink-0_UP nvlink-1_DOWN");
  EXPECT_EQ(path(*nodes, 0, 2), "nic-0_UP nic-1_DOWN");
  EXPECT_EQ(path(*nodes, 1, 5), "nic-0_UP level1-0_UP level1-1_DOWN nic-2_DOWN");
}

TEST(GpuNodes, RefuseAFabricThatDoesNotFit) {
  EXPECT_EQ(refused(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "gpus_per_node": 2, "fabric": "fat_tree",
                        "down": [2, 2], "up": [1]})",
                    9),
            "fabric between the NICs: a fat tree with these 'down' has 4 places, and 5 are needed");
  EXPECT_EQ(refused(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "routing": "ecmp"})", 9),
            "fabric between the NICs: 'down', 'up', 'routing' and 'routing_seed' are for \"fabric\": "
            "\"fat_tree\"; a star has one path between any two");
}

// NIC 0 is on router 0 of group 0, which holds the cable to group 1; NIC 3 on router 1 of group 1, whose
// cable to group 0 router 0 holds.
TEST(GpuNodes, CanHaveADragonflyBetweenThem) {
  auto nodes = build(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "gpus_per_node": 2, "fabric": "dragonfly",
                         "dragonfly": [2, 2, 1]})",
                     8);
  EXPECT_EQ(path(*nodes, 0, 1), "nvlink-0_UP nvlink-1_DOWN");
  EXPECT_EQ(path(*nodes, 0, 7), "nic-0_UP global-0-1 local-1-0-1 nic-3_DOWN");
}

TEST(GpuNodes, RefuseADragonflyThatIsNone) {
  EXPECT_EQ(refused(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "fabric": "dragonfly"})", 9),
            "fabric between the NICs: 'dragonfly' needs three numbers: groups, routers of a group, NICs of a "
            "router");
  EXPECT_EQ(refused(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "dragonfly": [2, 2, 1]})", 9),
            "fabric between the NICs: 'dragonfly' is for \"fabric\": \"dragonfly\"");
  EXPECT_EQ(
      refused(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "fabric": "dragonfly", "dragonfly": [1, 1, 1]})",
              9),
      "fabric between the NICs: a dragonfly of 1 groups of 1 routers with 1 ports has 1 places, and 2 are "
      "needed");
}

TEST(PcieNodes, ShareTheGpusPortBetweenItsNodeAndItsNic) {
  auto nodes = build(R"({"name": "pcie_nodes", "bandwidth": "1GBps", "gpus_per_node": 2})", 4);
  EXPECT_EQ(path(*nodes, 0, 1), "pcie-0_UP pcie-1_DOWN");
  EXPECT_EQ(path(*nodes, 0, 3), "pcie-0_UP nic-0_UP nic-1_DOWN pcie-3_DOWN");
}

TEST(RailOptimised, StaysOnTheRailOfTheSender) {
  auto rails = build(R"({"name": "rail_optimised", "bandwidth": "1GBps", "gpus_per_node": 4})", 12);
  EXPECT_EQ(path(*rails, 1, 2), "nvlink-1_UP nvlink-2_DOWN");
  EXPECT_EQ(path(*rails, 1, 9), "nic-1_UP nic-9_DOWN");
  EXPECT_EQ(path(*rails, 1, 6), "nvlink-1_UP nvlink-2_DOWN nic-2_UP nic-6_DOWN");
}

// The last node of 10 learners has ranks 8 and 9 only: from 8 to 6 there is no GPU of number 2 next to 8.
TEST(RailOptimised, ChangesRailsAtTheReceiverWhereTheSenderCannot) {
  auto rails = build(R"({"name": "rail_optimised", "bandwidth": "1GBps", "gpus_per_node": 4})", 10);
  EXPECT_EQ(path(*rails, 8, 6), "nic-8_UP nic-4_DOWN nvlink-4_UP nvlink-6_DOWN");
}

// A rail's links to the spine are as wide as its NICs, 3 of 1 GB/s, over the oversubscription.
TEST(RailOptimised, CrossesTheSpineBetweenRailsWhereItIsTold) {
  auto rails = build(R"({"name": "rail_optimised", "bandwidth": "1GBps", "gpus_per_node": 4,
                         "between_rails": "spine", "oversubscription": 2})",
                     12);
  EXPECT_EQ(path(*rails, 1, 6), "nic-1_UP spine-1_UP spine-2_DOWN nic-6_DOWN");
  for (const Link& link : rails->links())
    EXPECT_DOUBLE_EQ(link.bandwidth, link.tier == "spine" ? 1.5e9 : link.tier == "nic" ? 1e9 : 300e9);
  EXPECT_EQ(refused(R"({"name": "rail_optimised", "bandwidth": "1GBps", "oversubscription": 2})", 12),
            "'oversubscription' is for \"between_rails\": \"spine\"; over NVLink nothing crosses a spine");
}

TEST(Placement, DealsOutToNodesInTurn) {
  auto nodes = build(
      R"({"name": "gpu_nodes", "bandwidth": "1GBps", "gpus_per_node": 4, "placement": "round_robin"})", 10);
  // Three nodes: ranks 0, 3, 6, 9 on the first, 1, 4, 7 on the second.
  EXPECT_EQ(path(*nodes, 0, 3), "nvlink-0_UP nvlink-1_DOWN");
  EXPECT_EQ(path(*nodes, 0, 1), "nic-0_UP nic-1_DOWN");
  EXPECT_EQ(path(*nodes, 4, 7), "nvlink-5_UP nvlink-6_DOWN");
}

TEST(Placement, DrawsEachPlaceOnceAndTheSameForASeed) {
  auto star = [](int seed) {
    return build(R"({"name": "star", "bandwidth": "1GBps", "placement": "random", "placement_seed": )" +
                     std::to_string(seed) + "}",
                 32);
  };
  auto one = star(3), same = star(3), other = star(4);
  std::set<LinkId> ports;
  int differ = 0;
  for (std::uint32_t from = 1; from < 32; ++from) {
    ports.insert(route(*one, from, 0).front());
    EXPECT_EQ(route(*one, from, 0), route(*same, from, 0));
    differ += route(*one, from, 0) != route(*other, from, 0);
  }
  EXPECT_EQ(ports.size(), 31U);
  EXPECT_GT(differ, 16);
}

TEST(Placement, RefusesToDealOutWhereAllAreAlone) {
  EXPECT_EQ(
      refused(R"({"name": "star", "bandwidth": "1GBps", "placement": "round_robin"})", 8),
      "placement 'round_robin' deals learners out to nodes or switches, and here every learner is alone "
      "on its own; known: contiguous, random");
  EXPECT_EQ(refused(R"({"name": "star", "bandwidth": "1GBps", "placement_seed": 2})", 8),
            "'placement_seed' is for \"placement\": \"random\"");
}

}  // namespace
}  // namespace traincast
