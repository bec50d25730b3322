// Sums at servers: who holds what, how long it takes, and what each port carries.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

Collective push_pull(std::uint32_t learners, std::uint32_t servers, Bytes pushed, Bytes pulled) {
  Collective collective{.word = Word::push_pull, .ranks = learners};
  collective.bytes.assign(learners, pushed);
  collective.pulled = pulled;
  collective.servers = servers;
  return collective;
}

CollectiveTimes served(const Collective& collective, Engine engine = Engine::simgrid) {
  auto topology = make_topology(R"({"name": "parameter_server", "bandwidth": "1GBps", "latency": "10us",
                                    "servers": )" +
                                std::to_string(collective.servers) + "}");
  return replay_collective(*make_schedule("servers", collective), *topology,
                           std::vector<double>(collective.ranks + collective.servers, 0.0), engine, {},
                           collective.ranks);
}

double longest(const CollectiveTimes& times) {
  return *std::max_element(times.finish_s.begin(), times.finish_s.end());
}

// A server's port takes N messages of B/s bytes one behind the other, then sends N answers.
TEST(Servers, ArePacedByTheirPorts) {
  for (std::uint32_t n : {1U, 2U, 5U, 8U})
    for (std::uint32_t servers : {1U, 2U, 4U}) {
      if (servers > n) continue;
      double expected = n * (2 * kAlpha + kBeta * (8000.0 + 4000.0) / servers);
      for (Engine engine : {Engine::simgrid, Engine::flow, Engine::max_plus})
        EXPECT_NEAR(longest(served(push_pull(n, servers, 8000, 4000), engine)), expected, 1e-9 * expected)
            << n << " learners, " << servers << " servers, " << to_string(engine);
    }
}

// More servers than learners: a learner's own port sends a message to each server, and the last answers then.
TEST(Servers, MoreOfThemThanLearnersDoNotPassTheLearnersOwnPorts) {
  double expected = 7 * (kAlpha + kBeta * 6000.0 / 6);
  EXPECT_GE(longest(served(push_pull(2, 6, 6000, 6000))), expected * (1 - 1e-9));
}

TEST(Servers, CarryEveryByteOfEveryLearner) {
  Collective collective = push_pull(5, 3, 1001, 500);
  collective.bytes = {1001, 7, 0, 3, 99};
  auto times = served(collective);
  for (Rank learner = 0; learner < 5; ++learner) {
    EXPECT_EQ(times.timeline.sent_bytes[learner], collective.bytes[learner]);
    EXPECT_EQ(times.timeline.received_bytes[learner], 500u);
  }
  Bytes at_servers = std::accumulate(times.timeline.received_bytes.begin() + 5,
                                     times.timeline.received_bytes.end(), Bytes{0});
  EXPECT_EQ(at_servers, 1001u + 7 + 3 + 99);
}

// Of five learners three push, one behind the other at the server's port; all five take its answer.
TEST(Servers, WaitForNobodyWhoHasNothingToPush) {
  Collective collective = push_pull(5, 1, 8000, 4000);
  collective.bytes[0] = collective.bytes[3] = 0;
  double expected = 3 * (kAlpha + kBeta * 8000) + 5 * (kAlpha + kBeta * 4000);
  for (Engine engine : {Engine::simgrid, Engine::flow, Engine::max_plus}) {
    auto times = served(collective, engine);
    EXPECT_NEAR(longest(times), expected, 1e-9 * expected);
    EXPECT_LT(times.finish_s[1], times.finish_s[0]) << "who pushes has its answer first";
    EXPECT_EQ(times.timeline.transfers, 8u);
  }
}

// Each learner sends all but its own part, and its part's answer to all others.
TEST(ColocatedServers, SendTheMessageAndTheAnswerButForOnesOwn) {
  for (std::uint32_t n : {2U, 4U, 8U}) {
    double expected = (n - 1) * (2 * kAlpha + kBeta * (8000.0 + 4000.0) / n);
    auto times = replay_collective(*make_schedule("colocated", push_pull(n, 0, 8000, 4000)), *plain_star(),
                                   std::vector<double>(n, 0.0));
    EXPECT_NEAR(longest(times), expected, 1e-9 * expected);
    EXPECT_EQ(times.timeline.sent_bytes, std::vector<Bytes>(n, 12'000 * (n - 1) / n));
  }
}

TEST(Servers, AreRefusedWhereThePlatformHasNone) {
  EXPECT_EQ(collective_catalog(Word::push_pull).entries()[0].make.refuses(push_pull(4, 0, 1, 1)),
            "needs servers, and the platform has none");
}

}  // namespace
}  // namespace traincast
