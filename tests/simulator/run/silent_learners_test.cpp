// A step of which one learner has nothing to send, from what the method recorded to its timeline.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/assemble.hpp"
#include "simulator/replay/replay.hpp"
#include "simulator/scenario/scenario.hpp"

namespace traincast {
namespace {

// Three learners and one server, 1 GB/s and 10 us a link. All look at their gradients for 1 ms, encode for 2,
// and take 3 to apply what comes back; learner 2, which computes ten times as long, sends so many bytes.
AssembledStep assembled(Bytes of_the_last) {
  Json document = Json::parse(R"({
    "name": "test", "learners": 3, "steps": 1, "gradients": {"name": "shapes", "shape": [250000]},
    "timings": {"name": "given", "forward": "0s", "backward": "4ms"}, "overlap": false,
    "collective": {"push_pull": "servers"},
    "platform": {"name": "parameter_server", "bandwidth": "1GBps", "latency": "10us", "servers": 1},
    "speeds": {"name": "given", "groups": [{"learners": 2, "speed": 1}, {"learners": 1, "speed": 0.1}]}})",
                              "test");
  const Scenario scenario = make_plan(std::move(document), "test.json", {}).points.front().scenario;
  Op push{.word = Word::push_pull, .bytes = {1'000'000, 1'000'000, of_the_last}};
  push.pulled = 1'000'000;
  ExchangeRecord record;
  record.learners = 3;
  record.buckets = {{0, {{0, "tensor", {250'000}, "given"}}}};
  StepRecord& step = record.steps.emplace_back();
  step.after_backward = true;
  step.buckets = {{{{{{Primitive::reduction, {250'000}}}, {}},
                    {{{Primitive::topk, {250'000, 125'000}}}, push},
                    {{{Primitive::elementwise, {250'000}, 1, Stage::decode}}, {}}}}};
  CodecSeconds codec;
  codec.regimes = {{{{{1e-3, 0}, {0, 0}}, {{2e-3, 0}, {0, 0}}, {{0, 3e-3}, {0, 0}}}}};
  auto topology = scenario.platform.entry->make(scenario.platform.parameters);
  return assemble_step(scenario, record, 0, {.forward_s = 0, .ready_s = {4e-3}, .optimizer_s = 0}, codec,
                       *topology);
}

Timeline replayed(const AssembledStep& step) {
  Json document = Json::parse(
      R"({"name": "parameter_server", "bandwidth": "1GBps", "latency": "10us", "servers": 1})", "test");
  JsonReader at(document, "test");
  const auto& entry = topology_catalog().find(at);
  auto topology = entry.make(read_parameters(at, entry.name, entry.parameters));
  return replay_step(step.program, *topology);
}

// One message between a learner and the server.
constexpr double kMessage = 20e-6 + 1e-3;

TEST(SilentLearner, HasNothingToEncodeAndIsNotWaitedFor) {
  AssembledStep step = assembled(0);
  const PhaseProgram& push = step.program.buckets[0].phases[1];
  EXPECT_THAT(push.only_receives, testing::ElementsAre(false, false, true));
  EXPECT_THAT(push.encode_s, testing::ElementsAre(2e-3, 2e-3, 0));
  Timeline t = replayed(step);
  // The others have their answers at 4 + 1 + 2 ms and four messages; it has looked at its gradient at 50 ms.
  EXPECT_NEAR(t.step_s, 50e-3 + 30e-3, 1e-12);
  EXPECT_NEAR(t.communication_s, 5 * kMessage, 1e-12);
  EXPECT_EQ(t.exposed_communication_s, 0);
  EXPECT_EQ(t.slowest, 2u);
}

TEST(SilentLearner, WouldHoldUpAllOthersWithASingleByte) {
  AssembledStep step = assembled(1);
  EXPECT_TRUE(step.program.buckets[0].phases[1].only_receives.empty());
  Timeline t = replayed(step);
  EXPECT_NEAR(t.step_s, 70e-3 + 5 * kMessage + 20e-6 + 1e-9 + 30e-3, 1e-12);
}

TEST(SilentLearner, IsATimelineOfItsOwnInTheCache) { EXPECT_NE(assembled(0).key, assembled(1).key); }

}  // namespace
}  // namespace traincast
