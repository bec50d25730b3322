// Which engine replays what, what is refused, and that every engine tells who waits for whom.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

std::string engine_for(const Schedule& schedule, const Topology& topology) {
  return replay_collective(schedule, topology, std::vector<double>(schedule.ranks(), 0.0), Engine::automatic)
      .timeline.engine;
}

std::string refusal(const Schedule& schedule, const Cluster& cluster, Engine engine) {
  try {
    replay_collective_here(schedule, cluster, std::vector<double>(schedule.ranks(), 0.0), engine);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(EngineChoice, TakesTheRecursionWhereNoLinkIsShared) {
  auto ring = make_schedule("ring", {.ranks = 12, .count = 1200});
  EXPECT_EQ(engine_for(*ring, *plain_star()), "max_plus");
  EXPECT_EQ(engine_for(*ring, *shared_nics()), "max_plus");
  auto halving = make_schedule("halving_doubling", {.ranks = 8, .count = 1200});
  EXPECT_EQ(engine_for(*halving, *plain_star()), "max_plus");
  EXPECT_EQ(engine_for(*halving, *own_nics()), "max_plus");
}

TEST(EngineChoice, TakesSimGridWhereLinksAreSharedByFewTransfers) {
  auto halving = make_schedule("halving_doubling", {.ranks = 8, .count = 1200});
  EXPECT_EQ(engine_for(*halving, *shared_nics()), "simgrid");
}

// Transfers 0 → 2 and 1 → 3 go on and on over one link.
TEST(EngineChoice, TakesFlowsWhereLinksAreSharedByMoreTransfersThanSimGridCanAfford) {
  std::vector<std::vector<Action>> actions(4);
  for (int i = 0; i < 50'001; ++i) {
    actions[0].push_back(send(2, 10));
    actions[1].push_back(send(3, 10));
    actions[2].push_back(receive(0, 10));
    actions[3].push_back(receive(1, 10));
  }
  WrittenSchedule schedule(actions);
  WrittenCluster cluster(4, {{"the link", "network", 1e9, 0}}, {{0, 2, {0}}, {1, 3, {0}}});
  auto times = replay_collective_here(schedule, cluster, {0, 0, 0, 0}, Engine::automatic);
  EXPECT_EQ(times.timeline.engine, "flow");
  EXPECT_NEAR(times.finish_s[3], 100'002 * 10e-9, 1e-12);
}

TEST(EngineChoice, RefusesTheRecursionWhereItIsNotProven) {
  auto halving = make_schedule("halving_doubling", {.ranks = 8, .count = 1200});
  EXPECT_THAT(refusal(*halving, *shared_nics()->build(8), Engine::max_plus),
              testing::MatchesRegex(":/engine: 'max_plus' is exact only where no two transfers share a link, "
                                    "and link '.*' may carry learner . → . and learner . → . at once; "
                                    "'auto' takes an engine that shares links"));
  EXPECT_EQ(refusal(*halving, *shared_nics()->build(8), Engine::flow), "");
}

TEST(EngineChoice, RefusesTheRecursionForAStepOfWhichOneCollectiveIsNotProven) {
  StepProgram program{.learners = 8, .backward_s = 1, .buckets = {{1, {}}}};
  for (const char* algorithm : {"ring", "halving_doubling"}) {
    PhaseProgram phase;
    phase.schedule = make_schedule(algorithm, {.ranks = 8, .count = 1200});
    program.buckets[0].phases.push_back(phase);
  }
  EXPECT_THROW(replay_step(program, *shared_nics(), Engine::max_plus), InputError);
  EXPECT_EQ(replay_step(program, *shared_nics(), Engine::automatic).engine, "simgrid");
  EXPECT_EQ(replay_step(program, *plain_star(), Engine::max_plus).engine, "max_plus");
}

// Learner 0 → 1 and 0 → 2 leave one sender, 1 → 2 and 0 → 2 come to one receiver; 0 → 1 with 1 → 2 have
// neither in common.
TEST(SharingProof, AsksForACommonSenderOrReceiver) {
  auto prove = [](std::vector<std::pair<Rank, Rank>> pairs) -> std::string {
    std::vector<Link> links{{"x", "network", 1e9, 0}};
    SharingProof proof(links);
    LinkId route[] = {0};
    try {
      for (auto [from, to] : pairs) proof.add(from, to, 0, route);
    } catch (const NotProven& error) {
      return error.why;
    }
    return "";
  };
  EXPECT_EQ(prove({{0, 1}, {0, 2}, {0, 3}}), "");
  EXPECT_EQ(prove({{1, 2}, {0, 2}, {3, 2}}), "");
  EXPECT_EQ(prove({{0, 1}, {1, 2}}), "link 'x' may carry learner 0 → 1 and learner 1 → 2 at once");
  EXPECT_EQ(prove({{0, 1}, {0, 2}, {3, 2}}), "link 'x' may carry learner 0 → 1 and learner 3 → 2 at once");
}

TEST(SharingProof, TakesTheChannelsOfARankForDifferentSenders) {
  std::vector<Link> links{{"x", "network", 1e9, 0}};
  SharingProof proof(links);
  LinkId route[] = {0};
  proof.add(0, 1, 0, route);
  try {
    proof.add(0, 2, 1, route);
    FAIL();
  } catch (const NotProven& error) {
    EXPECT_EQ(error.why, "link 'x' may carry learner 0 → 1 and learner 0 → 2 on channel 1 at once");
  }
}

class EveryEngine : public testing::TestWithParam<Engine> {
 protected:
  std::string failure(const Schedule& schedule) {
    try {
      replay_collective(schedule, *plain_star(), std::vector<double>(schedule.ranks(), 0.0), GetParam());
    } catch (const SimulationError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_P(EveryEngine, NamesWhoWaitsForWhom) {
  WrittenSchedule crossed({{receive(1, 5)}, {receive(0, 5)}, {send(0, 5)}});
  EXPECT_EQ(failure(crossed),
            "replay: 3 of 3 learners cannot finish: learner 0 waits for a message from learner 1 in the "
            "collective; learner 1 waits for a message from learner 0 in the collective; learner 2 waits "
            "until learner 0 takes its message in the collective");
}

TEST_P(EveryEngine, RefusesSizesThatDiffer) {
  WrittenSchedule uneven({{send(1, 5)}, {receive(0, 6)}});
  EXPECT_EQ(failure(uneven),
            "replay: learner 0 sends 5 bytes to learner 1, which waits for 6 in the collective");
}

TEST_P(EveryEngine, RefusesPeersThatAreNotThere) {
  EXPECT_EQ(failure(WrittenSchedule({{send(2, 5)}, {}})),
            "replay: learner 0 of 2 cannot exchange messages with learner 2 in the collective");
}

// Learner 2 takes both messages in the other order than they are offered, and 0 has one for 1 behind.
TEST_P(EveryEngine, FindsWhatBecomesPossibleBehindATransfer) {
  WrittenSchedule schedule({{send(2, 1000), send(1, 1000)},
                            {receive(0, 1000), send(2, 1000)},
                            {receive(0, 1000), receive(1, 1000)}});
  auto times = replay_collective(schedule, *plain_star(), {0, 0, 0}, GetParam());
  EXPECT_NEAR(times.finish_s[0], 2 * (kAlpha + 1000 * kBeta), 1e-15);
  EXPECT_NEAR(times.finish_s[2], 3 * (kAlpha + 1000 * kBeta), 1e-15);
}

TEST_P(EveryEngine, TellsOfAStepWhoWaits) {
  StepProgram program{.learners = 2, .backward_s = 1, .buckets = {{1, {}}}};
  PhaseProgram phase;
  phase.schedule = std::make_shared<WrittenSchedule>(std::vector<std::vector<Action>>{{receive(1, 5)}, {}});
  program.buckets[0].phases = {phase, phase};
  try {
    replay_step(program, *plain_star(), GetParam());
    FAIL();
  } catch (const SimulationError& error) {
    EXPECT_STREQ(error.what(),
                 "replay: 2 of 2 learners cannot finish: learner 0 waits for a message from learner 1 in "
                 "all_reduce of bucket 0, phase 0");
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, EveryEngine,
                         testing::Values(Engine::simgrid, Engine::flow, Engine::max_plus),
                         [](const auto& parameter) { return std::string(to_string(parameter.param)); });

}  // namespace
}  // namespace traincast
