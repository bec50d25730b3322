#include "simulator/first_step.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "simulator/collectives/goal.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

std::vector<std::shared_ptr<const Schedule>> collectives(const std::string& members) {
  static const std::string trace = write_small_trace("first_step", 8, 2);
  Plan plan = plan_on_trace(trace, members + R"(, "steps": 2)");
  RunOptions options;
  options.quiet = true;
  return first_step_collectives(plan, plan.points.front(), options);
}

// Four tensors in one bucket, 48·40 + 48 + 10·48 + 10 elements.
TEST(FirstStep, SendsWhatTheRunSends) {
  auto all = collectives(R"("buckets": "model", "collective": {"all_reduce": "ring"})");
  ASSERT_EQ(all.size(), 1U);
  Bytes sent = 0;
  for (Rank rank = 0; rank < 8; ++rank) {
    auto program = all[0]->program(rank);
    for (Action action; program->next(action);)
      if (action.kind == Action::Kind::send) sent += action.bytes;
  }
  EXPECT_EQ(sent, 2 * 7 * 4 * (48 * 40 + 48 + 10 * 48 + 10));
}

TEST(FirstStep, HasACollectiveForEveryBucketAndPhase) {
  EXPECT_EQ(collectives(R"("buckets": "tensor")").size(), 4U);
  EXPECT_EQ(collectives(R"("buckets": "tensor", "compressor": {"name": "powersgd", "rank": 2})").size(),
            2 * 2 + 2U);
}

TEST(FirstStep, OfOneLearnerHasNone) { EXPECT_TRUE(collectives(R"("learners": 1)").empty()); }

TEST(FirstStep, IsWrittenAsGoal) {
  std::ostringstream text;
  write_goal(text, collectives(R"("compressor": {"name": "topk", "density": 0.02})"));
  EXPECT_TRUE(text.str().starts_with("num_ranks 8\n"));
}

}  // namespace
}  // namespace traincast
