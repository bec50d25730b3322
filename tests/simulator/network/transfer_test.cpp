// How transfers share links and wait for each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

constexpr Bytes kMegabyte = 1'000'000;  // 1 ms at 1 GB/s

std::vector<double> finish(const WrittenSchedule& schedule, const Topology& topology,
                           std::vector<double> starts = {}) {
  if (starts.empty()) starts.assign(schedule.ranks(), 0.0);
  return replay_collective(schedule, topology, starts).finish_s;
}

void expect_times(const std::vector<double>& measured, const std::vector<double>& expected) {
  ASSERT_EQ(measured.size(), expected.size());
  for (std::size_t i = 0; i < measured.size(); ++i)
    EXPECT_NEAR(measured[i], expected[i], 1e-9 * expected[i]) << "rank " << i;
}

// A receiver takes one message at a time, so that two flows into one host need two hosts' worth of GPUs
// behind one NIC: ranks 0 and 1 share a node, and so do 2 and 3.
std::unique_ptr<Topology> pairs_behind_nics() {
  return make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 2, "bandwidth": "1GBps", "latency": "10us",
                           "intra_bandwidth": "10GBps", "intra_latency": "1us"})");
}

TEST(Transfer, TakesLatencyAndBytesOverBandwidth) {
  expect_times(finish(WrittenSchedule({{send(1, kMegabyte)}, {receive(0, kMegabyte)}}), *plain_star()),
               {1.02e-3, 1.02e-3});
}

TEST(Transfer, WithoutBytesTakesLatencyOnly) {
  expect_times(finish(WrittenSchedule({{send(1, 0)}, {receive(0, 0)}}), *plain_star()), {20e-6, 20e-6});
}

TEST(Transfer, OppositeWaysDoNotSlowEachOther) {
  expect_times(finish(WrittenSchedule({{send(1, kMegabyte), receive(1, kMegabyte)},
                                       {send(0, kMegabyte), receive(0, kMegabyte)}}),
                      *plain_star()),
               {1.02e-3, 1.02e-3});
}

TEST(Transfer, WaitsForTheReceiver) {
  expect_times(
      finish(WrittenSchedule({{send(1, kMegabyte)}, {receive(0, kMegabyte)}}), *plain_star(), {0, 5e-3}),
      {6.02e-3, 6.02e-3});
}

TEST(Transfer, LeavesAfterWhatItsSenderSentBefore) {
  expect_times(finish(WrittenSchedule({{send(1, kMegabyte), send(2, kMegabyte)},
                                       {receive(0, kMegabyte)},
                                       {receive(0, kMegabyte)}}),
                      *plain_star()),
               {2.04e-3, 1.02e-3, 2.04e-3});
}

// Rank 2 waits for rank 0 first, so that rank 1's message, which could start at once, has to wait.
TEST(Transfer, IsTakenInTheReceiversOrder) {
  expect_times(finish(WrittenSchedule({{send(2, kMegabyte)},
                                       {send(2, kMegabyte)},
                                       {receive(0, kMegabyte), receive(1, kMegabyte)}}),
                      *plain_star(), {3e-3, 0, 0}),
               {4.02e-3, 5.04e-3, 5.04e-3});
}

// Two flows into one NIC get half of it each: 2 ms instead of 1.
TEST(FairSharing, GivesTwoFlowsIntoOneNicHalfEach) {
  expect_times(finish(WrittenSchedule({{},
                                       {},
                                       {receive(4, kMegabyte)},
                                       {receive(6, kMegabyte)},
                                       {send(2, kMegabyte)},
                                       {},
                                       {send(3, kMegabyte)}}),
                      *pairs_behind_nics()),
               {0, 0, 2.02e-3, 2.02e-3, 2.02e-3, 0, 2.02e-3});
}

// One NIC, shared by two flows of which one has 1/4 of the bytes: at half speed until the small one is over
// after 0.5 ms, then 0.75 MB alone.
TEST(FairSharing, GivesTheRestToTheFlowThatIsLeft) {
  expect_times(finish(WrittenSchedule({{send(2, kMegabyte)},
                                       {send(3, kMegabyte / 4)},
                                       {receive(0, kMegabyte)},
                                       {receive(1, kMegabyte / 4)}}),
                      *pairs_behind_nics()),
               {1.27e-3, 0.52e-3, 1.27e-3, 0.52e-3});
}

// Two flows that end their latency at one moment and leave by one NIC, the second into a NIC that is in use:
// SimGrid's lazy solver would carry 1.5 GB/s into it. Nodes {0, 1}, {2, 3}, {4, 5}, {6, 7}. 6→4 runs alone on
// the NIC of {4, 5}; 10 ms later 0→2 and 1→5 start and share the NIC of {0, 1}, each with 0.5 GB/s, which
// leaves 0.5 GB/s for 6→4.
TEST(FairSharing, OverloadsNoLinkWhereFlowsOfOneNicStartTogether) {
  Bytes large = 20 * kMegabyte;
  WrittenSchedule schedule({{send(2, large)},
                            {send(5, large)},
                            {receive(0, large)},
                            {},
                            {receive(6, large)},
                            {receive(1, large)},
                            {send(4, large)},
                            {}});
  // 6→4: 10.0 MB after 10 ms (it began at 20 us, as the others at 10.02 ms), then 10.0 MB at half speed.
  auto times = finish(schedule, *pairs_behind_nics(), {10e-3, 10e-3, 0, 0, 0, 0, 0, 0});
  EXPECT_NEAR(times[4], 20e-6 + 10e-3 + 20e-3, 1e-12);
  EXPECT_NEAR(times[2], 10.02e-3 + 40e-3, 1e-12);
  EXPECT_NEAR(times[5], 10.02e-3 + 40e-3, 1e-12);
}

// Paths of 2 us within a node and 20 us between nodes take turns on different links; a path within the node
// does not touch the NIC.
TEST(GpuNodes, KeepTrafficWithinANodeOffItsNic) {
  WrittenSchedule schedule({{send(1, kMegabyte)}, {receive(0, kMegabyte)}, {}, {}});
  auto times = replay_collective(schedule, *pairs_behind_nics(), {0, 0, 0, 0});
  EXPECT_NEAR(times.finish_s[1], 2e-6 + 0.1e-3, 1e-12);
  EXPECT_EQ(times.timeline.tier_bytes,
            (std::vector<std::pair<std::string, Bytes>>{{"nic", 0}, {"nvlink", 2 * kMegabyte}}));
}

TEST(GpuNodes, CrossTwoNicsBetweenNodesAndNoGpuPort) {
  WrittenSchedule schedule({{send(3, kMegabyte)}, {}, {}, {receive(0, kMegabyte)}});
  auto times = replay_collective(schedule, *pairs_behind_nics(), {0, 0, 0, 0});
  EXPECT_NEAR(times.finish_s[3], 20e-6 + 1e-3, 1e-12);
  EXPECT_EQ(times.timeline.tier_bytes,
            (std::vector<std::pair<std::string, Bytes>>{{"nic", 2 * kMegabyte}, {"nvlink", 0}}));
}

TEST(GpuNodes, ShareANicAmongAllFlowsOfANode) {
  for (const char* nics : {"one", "per_gpu"}) {
    auto nodes = make_topology(std::string(R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps",
                                               "latency": "10us", "nics": ")") +
                               nics + "\"}");
    std::vector<std::vector<Action>> actions;
    for (Rank rank = 0; rank < 4; ++rank) actions.push_back({send(rank + 4, kMegabyte)});
    for (Rank rank = 0; rank < 4; ++rank) actions.push_back({receive(rank, kMegabyte)});
    double expected = nics == std::string("one") ? 4.02e-3 : 1.02e-3;
    expect_times(finish(WrittenSchedule(actions), *nodes), std::vector<double>(8, expected));
  }
}

// Nodes of 3: ranks 3 and 4 are the last node's only two.
TEST(GpuNodes, MayBePartlyFilled) {
  auto nodes =
      make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 3, "bandwidth": "1GBps", "latency": "10us",
                                 "intra_bandwidth": "10GBps", "intra_latency": "1us"})");
  WrittenSchedule schedule(
      {{send(4, kMegabyte)}, {}, {}, {receive(4, kMegabyte)}, {receive(0, kMegabyte), send(3, kMegabyte)}});
  expect_times(finish(schedule, *nodes), {1.02e-3, 0, 0, 1.122e-3, 1.122e-3});
}

std::string failure(const WrittenSchedule& schedule) {
  try {
    finish(schedule, *plain_star());
  } catch (const SimulationError& error) {
    return error.what();
  }
  return "";
}

TEST(Deadlock, NamesWhoWaitsForWhom) {
  EXPECT_EQ(failure(WrittenSchedule({{receive(1, 8), send(1, 8)}, {receive(0, 8), send(0, 8)}})),
            "replay: 2 of 2 learners cannot finish: learner 0 waits for a message from learner 1 in the "
            "collective; "
            "learner 1 waits for a message from learner 0 in the collective");
  EXPECT_EQ(failure(WrittenSchedule({{send(1, 8)}, {}, {}})),
            "replay: 1 of 3 learners cannot finish: learner 0 waits until learner 1 takes its message in the "
            "collective");
}

TEST(Transfer, MustBeWhatTheReceiverExpects) {
  EXPECT_EQ(failure(WrittenSchedule({{send(1, 8)}, {receive(0, 9)}})),
            "replay: learner 0 sends 8 bytes to learner 1, which waits for 9 in the collective");
  EXPECT_EQ(failure(WrittenSchedule({{send(7, 8)}, {}})),
            "replay: learner 0 of 2 cannot exchange messages with learner 7 in the collective");
}

TEST(ReplayCollective, RefusesStartsThatAreNoTimes) {
  WrittenSchedule schedule({{}, {}});
  EXPECT_THROW(finish(schedule, *plain_star(), {0}), SimulationError);
  EXPECT_THROW(finish(schedule, *plain_star(), {0, -1}), SimulationError);
}

// A link with 200 flows at once: no limit on their number.
TEST(FairSharing, HoldsForManyFlows) {
  auto nodes = make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 200, "bandwidth": "1GBps",
                                 "latency": "0s"})");
  std::vector<std::vector<Action>> actions(400);
  for (Rank rank = 0; rank < 200; ++rank) {
    actions[rank] = {send(rank + 200, 1000)};
    actions[rank + 200] = {receive(rank, 1000)};
  }
  expect_times(finish(WrittenSchedule(actions), *nodes), std::vector<double>(400, 200e-6));
}

// Moments that are nearer than a nanosecond stay apart: two independent chains of 100 and 109 ns a hop.
TEST(Transfer, KeepsMomentsApartThatAreCloserThanANanosecond) {
  auto star = make_topology(R"({"name": "star", "bandwidth": "1GBps", "latency": "0s"})");
  std::vector<std::vector<Action>> actions(4);
  for (int i = 0; i < 1000; ++i) {
    actions[0].push_back(send(1, 100));
    actions[1].push_back(receive(0, 100));
    actions[2].push_back(send(3, 109));
    actions[3].push_back(receive(2, 109));
  }
  expect_times(finish(WrittenSchedule(actions), *star), {100e-6, 100e-6, 109e-6, 109e-6});
}

}  // namespace
}  // namespace traincast
