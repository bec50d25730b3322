// Collectives within and across nodes: who takes part, what it costs, and over which links it goes.
#include "simulator/collectives/subgroups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"
#include "tests/simulator/network/schedule_interpreter.hpp"

namespace traincast {
namespace {

constexpr std::uint32_t kNode = 4, kNodes = 3, kRanks = kNode * kNodes;
constexpr Subgroups kWithin{Among::within, kNode}, kAcross{Among::across, kNode};

std::shared_ptr<const Schedule> schedule(const std::string& algorithm, const Collective& all,
                                         const Subgroups& members) {
  std::vector<std::shared_ptr<const Schedule>> schedules;
  for (std::uint32_t group = 0; group < members.count(all.ranks); ++group)
    schedules.push_back(make_schedule(algorithm, part_of(all, members, group)));
  return side_by_side(std::move(schedules), members);
}

TEST(Subgroups, GiveEveryLearnerOnePlace) {
  for (const Subgroups& members : {Subgroups{}, kWithin, kAcross}) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (LearnerId learner = 0; learner < kRanks; ++learner) {
      std::uint32_t group = members.group_of(learner), rank = members.rank_of(learner);
      EXPECT_LT(group, members.count(kRanks));
      EXPECT_LT(rank, members.size(kRanks));
      EXPECT_EQ(members.learner(group, rank), learner);
      places.emplace(group, rank);
    }
    EXPECT_EQ(places.size(), kRanks);
  }
}

TEST(Subgroups, AreNeighboursWithinNodesAndCounterpartsAcrossThem) {
  EXPECT_EQ(kWithin.group_of(6), kWithin.group_of(7));
  EXPECT_NE(kWithin.group_of(7), kWithin.group_of(8));
  EXPECT_EQ(kAcross.group_of(2), kAcross.group_of(6));
  EXPECT_NE(kAcross.group_of(2), kAcross.group_of(3));
}

TEST(Subgroups, SumTheirOwnMembersAndNobodyElse) {
  for (const char* algorithm : {"ring", "halving_doubling", "binomial_tree", "double_binary_tree"})
    for (const Subgroups& members : {kWithin, kAcross}) {
      Collective all{.ranks = kRanks, .count = 24};
      auto result = interpret(*schedule(algorithm, all, members), all.count, held_before(all));
      ASSERT_EQ(result.error, "") << algorithm;
      for (Rank rank = 0; rank < kRanks; ++rank)
        for (const Held& element : result.held[rank])
          for (Rank from = 0; from < kRanks; ++from)
            EXPECT_EQ(element[from], members.group_of(from) == members.group_of(rank) ? 1u : 0u) << algorithm;
    }
}

TEST(Subgroups, TakeTheirOwnMessagesOutOfThoseOfAll) {
  Collective gather{.word = Word::all_gather, .ranks = kRanks};
  for (Rank rank = 0; rank < kRanks; ++rank) gather.bytes.push_back(100 + rank);
  EXPECT_EQ(part_of(gather, kWithin, 1).bytes, (std::vector<Bytes>{104, 105, 106, 107}));
  EXPECT_EQ(part_of(gather, kAcross, 1).bytes, (std::vector<Bytes>{101, 105, 109}));

  // From each learner to the three ranks of its group.
  Collective exchange{.word = Word::all_to_all, .ranks = kRanks};
  for (Rank rank = 0; rank < kRanks; ++rank)
    for (Bytes to = 0; to < kNodes; ++to) exchange.bytes.push_back(10 * rank + to);
  EXPECT_EQ(part_of(exchange, kAcross, 2).bytes, (std::vector<Bytes>{20, 21, 22, 60, 61, 62, 100, 101, 102}));

  Collective equal{.word = Word::all_to_all, .ranks = kRanks, .bytes = {7}};
  EXPECT_EQ(part_of(equal, kWithin, 0).bytes, std::vector<Bytes>{7});
}

constexpr double kPort = 1e-10, kNic = 1e-9, kPortLatency = 4e-6, kNicLatency = 20e-6;

std::unique_ptr<Topology> nodes_of_four(const std::string& more = "") {
  return make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "10us",
                           "intra_bandwidth": "10GBps", "intra_latency": "2us")" +
                       more + "}");
}

std::vector<double> finish(const std::string& algorithm, const Collective& all, const Subgroups& members,
                           Engine engine = Engine::simgrid) {
  return replay_collective(*schedule(algorithm, all, members), *nodes_of_four(),
                           std::vector<double>(kRanks, 0.0), engine)
      .finish_s;
}

void expect_all(const std::vector<double>& seconds, double expected) {
  for (double each : seconds) EXPECT_NEAR(each, expected, 1e-9 * expected);
}

// Within a node g−1 rounds over NVLink. Across nodes the four ranks of a node share its NIC, each in the
// sub-group of its place, so that a round takes four times as long as alone.
TEST(Subgroups, TakeTheTimeOfTheLinksThatTheyUse) {
  const Bytes message = 100'000;
  Collective gather{.word = Word::all_gather, .ranks = kRanks, .bytes = std::vector<Bytes>(kRanks, message)};
  for (Engine engine : {Engine::simgrid, Engine::flow, Engine::automatic}) {
    expect_all(finish("ring", gather, kWithin, engine), (kNode - 1) * (kPortLatency + kPort * message));
    expect_all(finish("ring", gather, kAcross, engine),
               (kNodes - 1) * (kNicLatency + kNode * kNic * message));
  }
  // 2(g−1) rounds of a g-th.
  Collective sum{.ranks = kRanks, .count = 12'000};
  expect_all(finish("ring", sum, kWithin), 2 * (kNode - 1) * (kPortLatency + kPort * 4 * 3000));
  expect_all(finish("ring", sum, kAcross), 2 * (kNodes - 1) * (kNicLatency + kNode * kNic * 4 * 4000));
  // The same all-to-all, rounds of one message.
  Collective exchange{.word = Word::all_to_all, .ranks = kRanks, .bytes = {message}};
  expect_all(finish("pairwise", exchange, kWithin), (kNode - 1) * (kPortLatency + kPort * message));
  expect_all(finish("pairwise", exchange, kAcross), (kNodes - 1) * (kNicLatency + kNode * kNic * message));
}

// A node whose messages are short is over early.
TEST(Subgroups, DoNotWaitForEachOther) {
  Collective gather{.word = Word::all_gather, .ranks = kRanks};
  for (Rank rank = 0; rank < kRanks; ++rank) gather.bytes.push_back(1000 * (1 + rank / kNode));
  auto seconds = finish("ring", gather, kWithin);
  for (Rank rank = 0; rank < kRanks; ++rank)
    EXPECT_NEAR(seconds[rank], (kNode - 1) * (kPortLatency + kPort * static_cast<double>(gather.bytes[rank])),
                1e-15);
}

std::map<std::string, Bytes> tiers(const Collective& all, const Subgroups& members) {
  StepProgram program;
  program.learners = kRanks;
  PhaseProgram phase;
  phase.encode_s = {0};
  phase.decode_s = {0};
  phase.schedule = schedule("ring", all, members);
  program.buckets.push_back({0, {phase}});
  auto bytes = replay_step(program, *nodes_of_four()).tier_bytes;
  return {bytes.begin(), bytes.end()};
}

// A transfer counts on each link of its way: two ports, or two NICs.
TEST(Subgroups, LoadOnlyTheTierThatTheyUse) {
  Collective gather{.word = Word::all_gather, .ranks = kRanks, .bytes = std::vector<Bytes>(kRanks, 1000)};
  auto within = tiers(gather, kWithin), across = tiers(gather, kAcross);
  EXPECT_EQ(within["nvlink"], 2 * kRanks * (kNode - 1) * 1000u);
  EXPECT_EQ(within["nic"], 0u);
  EXPECT_EQ(across["nvlink"], 0u);
  EXPECT_EQ(across["nic"], 2 * kRanks * (kNodes - 1) * 1000u);
}

// What "auto" chooses by: ports within nodes, a share of the NIC across them.
TEST(Subgroups, SeeTheNetworkOfTheirMembers) {
  NetworkEstimate network{20e-6, 1e9, 4, NetworkEstimate::Links{4e-6, 1e10}, 4};
  EXPECT_EQ(as_subgroups_see(network, kWithin).bandwidth, 1e10);
  EXPECT_EQ(as_subgroups_see(network, kWithin).latency, 4e-6);
  EXPECT_EQ(as_subgroups_see(network, kAcross).bandwidth, 0.25e9);
  // Groups that do not lie within a node know no better than everybody.
  EXPECT_EQ(as_subgroups_see(network, {Among::within, 3}).bandwidth, 1e9);
}

}  // namespace
}  // namespace traincast
