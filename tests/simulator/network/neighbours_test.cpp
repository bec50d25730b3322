// Who sends to whom in each graph.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

using ::testing::UnorderedElementsAre;

struct Peers {
  std::multiset<Rank> sent_to, taken_from;
};

Peers peers_of(const std::string& graph, Rank rank, std::uint32_t ranks, std::uint64_t step = 0) {
  Collective collective{.word = Word::neighbours, .ranks = ranks, .bytes = std::vector<Bytes>(ranks, 10)};
  collective.step = step;
  auto program = make_schedule(graph, collective)->program(rank);
  Peers peers;
  for (Action action; program->next(action);)
    (action.kind == Action::Kind::send ? peers.sent_to : peers.taken_from).insert(action.peer);
  return peers;
}

TEST(RingGraph, HasANeighbourOnEachSide) {
  EXPECT_THAT(peers_of("ring", 0, 5).sent_to, UnorderedElementsAre(1, 4));
  EXPECT_THAT(peers_of("ring", 0, 5).taken_from, UnorderedElementsAre(1, 4));
  EXPECT_THAT(peers_of("ring", 1, 2).sent_to, UnorderedElementsAre(0));
}

// 12 ranks make 3 rows of 4: rank 5 is in row 1, column 1.
TEST(TorusGraph, HasFourNeighboursOnTheSquarestGrid) {
  EXPECT_THAT(peers_of("torus", 5, 12).sent_to, UnorderedElementsAre(4, 6, 1, 9));
  EXPECT_THAT(peers_of("torus", 0, 12).taken_from, UnorderedElementsAre(1, 3, 4, 8));
  EXPECT_THAT(peers_of("torus", 0, 4).sent_to, UnorderedElementsAre(1, 2));
  EXPECT_THAT(peers_of("torus", 0, 7).sent_to, UnorderedElementsAre(1, 6));
}

TEST(ExponentialGraph, LeadsToThePowersOfTwoAhead) {
  EXPECT_THAT(peers_of("exponential", 3, 8).sent_to, UnorderedElementsAre(4, 5, 7));
  EXPECT_THAT(peers_of("exponential", 3, 8).taken_from, UnorderedElementsAre(2, 1, 7));
  EXPECT_THAT(peers_of("exponential", 0, 6).sent_to, UnorderedElementsAre(1, 2, 4));
}

TEST(OnePeerExponentialGraph, ChangesFromStepToStepAndComesRound) {
  EXPECT_THAT(peers_of("one_peer_exponential", 0, 8, 0).sent_to, UnorderedElementsAre(1));
  EXPECT_THAT(peers_of("one_peer_exponential", 0, 8, 1).sent_to, UnorderedElementsAre(2));
  EXPECT_THAT(peers_of("one_peer_exponential", 0, 8, 2).sent_to, UnorderedElementsAre(4));
  EXPECT_THAT(peers_of("one_peer_exponential", 0, 8, 3).sent_to, UnorderedElementsAre(1));
  EXPECT_THAT(peers_of("one_peer_exponential", 0, 8, 2).taken_from, UnorderedElementsAre(4));
}

TEST(EveryGraph, TakesFromWhomeverSends) {
  for (const auto& entry : collective_catalog(Word::neighbours).entries())
    for (std::uint32_t n : {1U, 2U, 3U, 7U, 12U, 16U})
      for (Rank rank = 0; rank < n; ++rank)
        for (Rank peer : peers_of(std::string(entry.name), rank, n, 1).sent_to)
          EXPECT_EQ(peers_of(std::string(entry.name), peer, n, 1).taken_from.count(rank), 1u)
              << entry.name << ": " << rank << " to " << peer << " of " << n;
}

}  // namespace
}  // namespace traincast
