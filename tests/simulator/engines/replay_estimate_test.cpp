// What a replay tells of itself before it starts.
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
    EXPECT_EQ(estimate_replay(program, Engine::flow).transfers,
              replay_step(program, *plain_star(), Engine::flow).transfers)
        << algorithm;
  }
}

TEST(ReplayEstimate, GrowsWithTransfersAndWithTheEnginesCost) {
  double few = estimate_replay(step_of("ring", 16, 1), Engine::flow).cpu_s;
  EXPECT_NEAR(estimate_replay(step_of("ring", 16, 5), Engine::flow).cpu_s, 5 * few, 1e-12);
  EXPECT_GT(estimate_replay(step_of("ring", 16, 1), Engine::simgrid).cpu_s, few);
  EXPECT_LT(estimate_replay(step_of("ring", 16, 1), Engine::max_plus).cpu_s, few);
}

TEST(ReplayEstimate, OfAnEmptyStepIsNothing) {
  EXPECT_EQ(estimate_replay(step_of("ring", 1, 1), Engine::automatic).transfers, 0u);
}

}  // namespace
}  // namespace traincast
