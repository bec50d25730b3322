// What a replay tells of itself before it starts.
#include "simulator/replay/replay_estimate.hpp"
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

StepProgram step_of(const std::string& algorithm, std::uint32_t ranks, unsigned buckets) {
  StepProgram program{.learners = ranks, .buckets = {}};
  PhaseProgram phase;
  phase.schedule = make_schedule(algorithm, {.ranks = ranks, .count = 1000, .group = 8});
  for (unsigned b = 0; b < buckets; ++b) program.buckets.push_back({0, {phase}});
  return program;
}

TEST(ReplayEstimate, CountsTheTransfersThatTheReplayThenMakes) {
  for (const char* algorithm : {"ring", "halving_doubling", "multi_ring", "binomial_tree"}) {
    StepProgram program = step_of(algorithm, 16, 3);
    EXPECT_EQ(estimate_replay(program, *plain_star(), Engine::flow).transfers,
              replay_step(program, *plain_star(), Engine::flow).transfers)
        << algorithm;
  }
}

// A few transfers are for SimGrid, whatever else could be taken.
TEST(ReplayEstimate, GrowsWithTransfersAndWithTheEnginesCost) {
  auto seconds = [](const std::string& algorithm, unsigned buckets, Engine engine) {
    return estimate_replay(step_of(algorithm, 16, buckets), *plain_star(), engine).cpu_s;
  };
  double few = seconds("ring", 1, Engine::flow);
  EXPECT_NEAR(seconds("ring", 5, Engine::flow), 5 * few, 1e-12);
  EXPECT_GT(seconds("ring", 1, Engine::simgrid), few);
  EXPECT_EQ(seconds("ring", 1, Engine::automatic), seconds("ring", 1, Engine::simgrid));
}

// Where the recursion is proven, millions of transfers take no time to speak of; where it is not, flows are
// tried.
TEST(ReplayEstimate, KnowsWhichEngineWillBeTaken) {
  StepProgram rings = step_of("ring", 1024, 3);
  EXPECT_EQ(estimate_replay(rings, *plain_star(), Engine::automatic).transfers, 3 * 2 * 1023 * 1024u);
  EXPECT_LT(estimate_replay(rings, *plain_star(), Engine::automatic).cpu_s, 0.1);
  auto scattered = make_topology(R"({"name": "gpu_nodes", "bandwidth": "1GBps", "placement": "random"})");
  EXPECT_GT(estimate_replay(rings, *scattered, Engine::automatic).cpu_s, 0.3);
}

TEST(ReplayEstimate, OfAnEmptyStepIsNothing) {
  EXPECT_EQ(estimate_replay(step_of("ring", 1, 1), *plain_star(), Engine::automatic).transfers, 0u);
}

}  // namespace
}  // namespace traincast
