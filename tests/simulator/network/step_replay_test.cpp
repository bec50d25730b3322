// Steps with known timelines. Times in the derivations are milliseconds; a ring all-reduce of m bytes between
// two learners takes 2(alpha + beta·m/2) = 0.04 + m/1 MB.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

using testing::HasSubstr;

constexpr double kMs = 1e-3;

std::shared_ptr<const Schedule> ring_all_reduce(std::uint32_t learners, std::uint64_t megabytes) {
  return make_schedule("ring", Collective{.ranks = learners, .count = megabytes * 250'000});
}

PhaseProgram work(double encode_ms, double decode_ms = 0) {
  PhaseProgram phase;
  phase.encode_s = {encode_ms * kMs};
  phase.decode_s = {decode_ms * kMs};
  return phase;
}

PhaseProgram sends(std::shared_ptr<const Schedule> schedule, double encode_ms = 0, bool waits = true) {
  PhaseProgram phase = work(encode_ms);
  phase.schedule = std::move(schedule);
  phase.waits = waits;
  return phase;
}

StepProgram step(double forward_ms, double backward_ms, double optimizer_ms, bool overlap,
                 std::vector<BucketProgram> buckets, std::uint32_t learners = 2) {
  return {learners, forward_ms * kMs, backward_ms * kMs, optimizer_ms * kMs, overlap, std::move(buckets)};
}

BucketProgram bucket(double ready_ms, std::vector<PhaseProgram> phases) {
  return {ready_ms * kMs, std::move(phases)};
}

void expect_ms(double measured_s, double expected_ms) {
  EXPECT_NEAR(measured_s, expected_ms * kMs, 1e-9 * expected_ms * kMs + 1e-15);
}

void expect_identity(const Timeline& t) {
  EXPECT_NEAR(t.compute_s + t.exposed_encode_s + t.exposed_communication_s + t.exposed_decode_s + t.wait_s,
              t.step_s, 1e-12 * t.step_s);
}

TEST(Step, WithoutOverlapIsASum) {
  for (std::uint32_t n : {2U, 5U}) {
    auto t = replay_step(
        step(1, 3, 0.5, false,
             {bucket(1, {sends(ring_all_reduce(n, 4))}), bucket(3, {sends(ring_all_reduce(n, 2))})}, n),
        *plain_star());
    double communication = 2 * (n - 1) * (2 * kAlpha + kBeta * 6e6 / n) / kMs;
    expect_ms(t.step_s, 4.5 + communication);
    expect_ms(t.compute_s, 4.5);
    expect_ms(t.communication_s, communication);
    expect_ms(t.exposed_communication_s, communication);
    EXPECT_EQ(t.wait_s, 0);
    expect_identity(t);
  }
}

// forward 0–1; backward 1–2; encode bucket 0 2–2.2; backward 2.2–5.2; encode bucket 1 5.2–5.4.
// bucket 0 (4 MB) on the wire 2.2–6.24, decode 6.24–6.34; bucket 1 (1 MB) 6.24–7.28, decode 7.28–7.38;
// optimizer 7.38–7.88. Idle: 5.4–6.24 and 6.34–7.28.
TEST(Step, HidesCommunicationBehindBackwardAndDecodesMeanwhile) {
  auto t = replay_step(step(1, 4, 0.5, true,
                            {bucket(1, {sends(ring_all_reduce(2, 4), 0.2), work(0, 0.1)}),
                             bucket(4, {sends(ring_all_reduce(2, 1), 0.2), work(0, 0.1)})}),
                       *plain_star());
  expect_ms(t.step_s, 7.88);
  expect_ms(t.compute_s, 5.5);
  expect_ms(t.encode_s, 0.4);
  expect_ms(t.exposed_encode_s, 0.4);
  expect_ms(t.decode_s, 0.2);
  expect_ms(t.exposed_decode_s, 0.2);
  expect_ms(t.communication_s, 5.08);
  expect_ms(t.exposed_communication_s, 1.78);
  expect_ms(t.wait_s, 0);
  expect_identity(t);
}

// A decode that becomes ready in the midst of a piece of backward enters when that ends. Bucket 0 (1 MB) is
// on the wire 1–2.04; backward goes on 1–3; decode 3–3.5; backward 3.5–4.5 (bucket 1 ready); wire to 5.54.
TEST(Step, DecodesBeforeTheRestOfBackward) {
  auto t = replay_step(step(0, 4, 0, true,
                            {bucket(1, {sends(ring_all_reduce(2, 1)), work(0, 0.5)}), bucket(3, {}),
                             bucket(4, {sends(ring_all_reduce(2, 1))})}),
                       *plain_star());
  expect_ms(t.step_s, 5.54);
  expect_ms(t.exposed_communication_s, 1.04);
  expect_ms(t.communication_s, 2.08);
  expect_identity(t);
}

// Two rounds of work as in PowerSGD, with a message between them that nothing but decoding waits for.
// backward 0–1; B 1–2.04; encode 2.04–2.34; A 2.34–6.38; encode 2.34–2.84; C ready at 2.84, on the wire
// 6.38–7.42; decode –7.52; optimizer –7.72.
TEST(Step, WorksOnWhileACollectiveIsUnderWayThatNothingWaitsFor) {
  auto t =
      replay_step(step(0, 1, 0.2, false,
                       {bucket(1, {sends(ring_all_reduce(2, 1)), sends(ring_all_reduce(2, 4), 0.3, false),
                                   sends(ring_all_reduce(2, 1), 0.5), work(0, 0.1)})}),
                  *plain_star());
  expect_ms(t.step_s, 7.72);
  expect_ms(t.exposed_communication_s, 1.04 + 4.58);
  expect_ms(t.encode_s, 0.8);
  expect_identity(t);
}

TEST(Step, DecodesOnlyWhenAllOfTheBucketIsThere) {
  auto t =
      replay_step(step(0, 1, 0, false, {bucket(1, {sends(ring_all_reduce(2, 4), 0, false), work(0, 0.1)})}),
                  *plain_star());
  expect_ms(t.step_s, 1 + 4.04 + 0.1);
  auto without_decode =
      replay_step(step(0, 1, 0, false, {bucket(1, {sends(ring_all_reduce(2, 4), 0, false)})}), *plain_star());
  expect_ms(without_decode.step_s, 1 + 4.04);
}

// Both are ready at once; bucket 0 goes first, and its long decoding hides bucket 1. The other way round the
// step would take 8.08.
TEST(Step, SendsBucketsThatAreReadyTogetherInTheirOrder) {
  auto t = replay_step(step(0, 1, 0, false,
                            {bucket(1, {sends(ring_all_reduce(2, 4)), work(0, 2)}),
                             bucket(0, {sends(ring_all_reduce(2, 1))})}),
                       *plain_star());
  expect_ms(t.step_s, 1 + 4.04 + 2);
}

// Bucket 1 is ready at 1, on the wire until 5.04; bucket 0 follows, until 6.08.
TEST(Step, SendsBucketsInTheOrderInWhichTheyBecomeReady) {
  auto t = replay_step(step(0, 2, 0, true,
                            {bucket(2, {sends(ring_all_reduce(2, 1)), work(0, 0.1)}),
                             bucket(1, {sends(ring_all_reduce(2, 4))})}),
                       *plain_star());
  expect_ms(t.step_s, 6.18);
}

// Learner 0 has encoded at 1.5 and waits until learner 1 has at 3.
TEST(Step, CountsWaitingForALateLearnerApart) {
  PhaseProgram uneven = sends(ring_all_reduce(2, 1));
  uneven.encode_s = {0.5 * kMs, 2 * kMs};
  auto t = replay_step(step(0, 1, 0.25, false, {bucket(1, {uneven})}), *plain_star());
  expect_ms(t.step_s, 3 + 1.04 + 0.25);
  expect_ms(t.wait_s, 1.5);
  expect_ms(t.encode_s, 0.5);
  expect_ms(t.exposed_communication_s, 1.04);
  expect_ms(t.communication_s, 1.04);
  expect_identity(t);
}

// Only learner 1 decodes: it ends last, and the timeline is its own.
TEST(Step, TellsTheTimelineOfTheSlowestLearner) {
  PhaseProgram uneven;
  uneven.decode_s = {0, 2 * kMs};
  auto t =
      replay_step(step(0, 1, 0, false, {bucket(1, {sends(ring_all_reduce(2, 1)), uneven})}), *plain_star());
  expect_ms(t.step_s, 1 + 1.04 + 2);
  expect_ms(t.decode_s, 2);
  expect_identity(t);
}

// Learner 1 takes twice as long: its gradient is there at 8, the sum at 9.04, and it has applied that
// at 10.04. Learner 0 waits from 4 to 8, and from 9.54 on.
TEST(Step, TakesAsLongAsItsSlowestLearnerComputes) {
  StepProgram program = step(1, 3, 0.5, false, {bucket(3, {sends(ring_all_reduce(2, 1))})});
  program.slower = {1, 2};
  auto t = replay_step(program, *plain_star());
  expect_ms(t.step_s, 10.04);
  expect_ms(t.compute_s, 9);
  EXPECT_EQ(t.wait_s, 0);
  expect_ms(t.mean_wait_s, (4 + 0.5) / 2);
  expect_identity(t);
}

// Two learners push 1 MB each to one server, 1.02 ms a message, when both have computed at 1; a third one,
// which computes until `slow`, has nothing to push and only takes the answer.
Timeline with_a_silent_learner(double slow, bool waits_for_it, Engine engine) {
  Collective sum{.word = Word::push_pull, .ranks = 3, .bytes = {1'000'000, 1'000'000, 0}};
  sum.pulled = 1'000'000;
  sum.servers = 1;
  PhaseProgram push = sends(make_schedule("servers", sum));
  if (!waits_for_it) push.only_receives = {false, false, true};
  StepProgram program = step(0, 1, 0, false, {bucket(1, {push, work(0, 0.25)})}, 3);
  program.servers = 1;
  program.slower = {1, 1, slow};
  auto served =
      make_topology(R"({"name": "parameter_server", "bandwidth": "1GBps", "latency": "10us", "servers": 1})");
  return replay_step(program, *served, engine);
}

TEST(Step, DoesNotWaitForALearnerThatOnlyReceives) {
  const double pushed = 2 * 1.02, answered = 3 * 1.02;
  for (Engine engine : {Engine::simgrid, Engine::flow, Engine::max_plus}) {
    // It has computed before the answer comes: the last of three, which it then decodes.
    Timeline soon = with_a_silent_learner(2, false, engine);
    expect_ms(soon.step_s, 1 + pushed + answered + 0.25 * 2);
    expect_ms(soon.communication_s, pushed + answered);
    // The answer lies there already.
    Timeline late = with_a_silent_learner(20, false, engine);
    expect_ms(late.step_s, 20 + 0.25 * 20);
    expect_ms(late.communication_s, pushed + answered);
    EXPECT_EQ(late.exposed_communication_s, 0);
    expect_identity(late);
    // Waited for, it would hold up everybody.
    Timeline waited = with_a_silent_learner(20, true, engine);
    expect_ms(waited.step_s, 20 + pushed + answered + 0.25 * 20);
    EXPECT_EQ(late.sent_bytes, waited.sent_bytes);
    EXPECT_EQ(late.sent_bytes[2], 0u);
  }
}

TEST(Step, OnAnIdealNetworkHardlyCommunicates) {
  auto ideal = make_topology(R"({"name": "star", "bandwidth": "1000000000GBps", "latency": "0s"})");
  auto t = replay_step(
      step(1, 3, 0.5, true,
           {bucket(1, {sends(ring_all_reduce(8, 8))}), bucket(3, {sends(ring_all_reduce(8, 8))})}, 8),
      *ideal);
  EXPECT_NEAR(t.step_s, 4.5 * kMs, 1e-9);
  EXPECT_LT(t.communication_s, 1e-9);
  expect_identity(t);
}

TEST(Step, OfOneLearnerSendsNothing) {
  auto t = replay_step(step(1, 3, 0.5, true,
                            {bucket(1, {sends(ring_all_reduce(1, 8), 0.25), work(0, 0.125)}),
                             bucket(3, {sends(ring_all_reduce(1, 8), 0.25)}), bucket(2, {})},
                            1),
                       *plain_star());
  expect_ms(t.step_s, 4.5 + 0.625);
  EXPECT_EQ(t.communication_s, 0);
  EXPECT_EQ(t.wait_s, 0);
  EXPECT_EQ(t.transfers, 0U);
  EXPECT_EQ(t.sent_bytes, std::vector<Bytes>{0});
  EXPECT_EQ(t.tier_bytes, (std::vector<std::pair<std::string, Bytes>>{{"network", 0}}));
}

TEST(Step, WithoutBucketsIsComputeOnly) {
  auto t = replay_step(step(1, 3, 0.5, true, {}, 4), *plain_star());
  expect_ms(t.step_s, 4.5);
  expect_ms(t.compute_s, 4.5);
}

std::string failure(const StepProgram& program) {
  try {
    replay_step(program, *plain_star());
  } catch (const SimulationError& error) {
    return error.what();
  }
  return "";
}

TEST(Step, NamesWhoWaitsForWhomWhenItCannotEnd) {
  auto cyclic = std::make_shared<WrittenSchedule>(
      std::vector<std::vector<Action>>{{receive(1, 8), send(1, 8)}, {receive(0, 8), send(0, 8)}});
  EXPECT_EQ(
      failure(step(1, 1, 0, true, {bucket(0, {sends(ring_all_reduce(2, 1))}), bucket(1, {sends(cyclic)})})),
      "replay: 2 of 2 learners cannot finish: learner 0 waits for a message from learner 1 in all_reduce of "
      "bucket 1, phase 0; learner 1 waits for a message from learner 0 in all_reduce of bucket 1, phase 0");
  auto missing_send =
      std::make_shared<WrittenSchedule>(std::vector<std::vector<Action>>{{}, {receive(0, 8)}});
  EXPECT_EQ(
      failure(step(1, 1, 0, true, {bucket(1, {sends(missing_send)})})),
      "replay: 1 of 2 learners cannot finish: learner 1 waits for a message from learner 0 in all_reduce of "
      "bucket 0, phase 0");
}

TEST(Step, RefusesAMalformedProgram) {
  EXPECT_THAT(failure(step(1, 1, 0, true, {bucket(2, {})})),
              HasSubstr("step program: bucket 0: ready after"));
  EXPECT_EQ(failure(step(1, 1, 0, true, {bucket(1, {sends(ring_all_reduce(3, 1))})})),
            "step program: bucket 0, phase 0: a schedule among 3 ranks for 2 learners");
  EXPECT_THAT(failure(step(-1, 1, 0, true, {})), HasSubstr("step program: forward: seconds must be finite"));
  PhaseProgram three = work(0);
  three.decode_s = {1, 2, 3};
  EXPECT_EQ(
      failure(step(1, 1, 0, true, {bucket(1, {three})})),
      "step program: bucket 0, phase 0: holds 3 times for 2 learners; give one for all or one for each");
}

StepProgram any_program(std::mt19937& random) {
  auto up_to = [&](unsigned n) { return static_cast<unsigned>(random() % (n + 1)); };
  std::uint32_t n = 1 + up_to(8);
  StepProgram program = step(up_to(3), 1 + up_to(5), up_to(2), up_to(2) > 0, {}, n);
  for (unsigned b = up_to(4); b > 0; --b) {
    BucketProgram one{up_to(100) / 100.0 * program.backward_s, {}};
    for (unsigned p = up_to(3); p > 0; --p) {
      PhaseProgram phase;
      for (std::uint32_t learner = 0; learner < n; ++learner) {
        phase.encode_s.push_back(up_to(3) / 3.0 * kMs);
        phase.decode_s.push_back(up_to(1) / 7.0 * kMs);
      }
      Collective collective{.word = static_cast<Word>(up_to(2)), .ranks = n, .count = 1000ULL * up_to(1000)};
      if (collective.word == Word::all_gather)
        for (std::uint32_t learner = 0; learner < n; ++learner) collective.bytes.push_back(1000 * up_to(500));
      if (collective.word == Word::broadcast) collective.bytes = {1000 * up_to(500)};
      phase.word = collective.word;
      phase.waits = up_to(3) > 0;
      if (up_to(4) > 0) phase.schedule = make_schedule("auto", collective);
      one.phases.push_back(phase);
    }
    program.buckets.push_back(one);
  }
  return program;
}

TEST(Step, AccountsForEveryMomentAndEveryByte) {
  std::mt19937 random(20240611);
  auto star = plain_star();
  auto nodes = make_topology(R"({"name": "gpu_nodes", "gpus_per_node": 3, "bandwidth": "1GBps"})");
  std::vector<StepProgram> programs;
  std::vector<const Topology*> topologies;
  for (int i = 0; i < 60; ++i) {
    programs.push_back(any_program(random));
    topologies.push_back(i % 2 ? star.get() : nodes.get());
  }
  std::vector<Engine> engines(programs.size(), Engine::simgrid);
  auto timelines = replay_steps(programs, topologies, engines, 2, nullptr);
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const Timeline& t = timelines[i];
    const StepProgram& p = programs[i];
    expect_identity(t);
    EXPECT_NEAR(t.compute_s, p.forward_s + p.backward_s + p.optimizer_s, 1e-12);
    EXPECT_GE(t.communication_s, t.exposed_communication_s - 1e-12);
    EXPECT_GE(t.wait_s, 0);
    Bytes sent = std::accumulate(t.sent_bytes.begin(), t.sent_bytes.end(), Bytes{0});
    Bytes on_links = 0;
    for (const auto& [tier, bytes] : t.tier_bytes) on_links += bytes;
    EXPECT_EQ(sent, std::accumulate(t.received_bytes.begin(), t.received_bytes.end(), Bytes{0}));
    EXPECT_EQ(on_links, 2 * sent);
  }
}

TEST(ReplaySteps, GivesTheSameInAnyNumberAtOnce) {
  std::mt19937 random(7);
  auto star = plain_star();
  std::vector<StepProgram> programs;
  for (int i = 0; i < 8; ++i) programs.push_back(any_program(random));
  std::vector<const Topology*> topologies(programs.size(), star.get());
  std::vector<Engine> engines(programs.size(), Engine::simgrid);
  std::size_t done = 0;
  auto together = replay_steps(programs, topologies, engines, 4, [&](std::size_t) { ++done; });
  EXPECT_EQ(done, programs.size());
  for (std::size_t i = 0; i < programs.size(); ++i) {
    auto alone = replay_step(programs[i], *star);
    EXPECT_EQ(alone.step_s, together[i].step_s);
    EXPECT_EQ(alone.exposed_communication_s, together[i].exposed_communication_s);
    EXPECT_EQ(alone.sent_bytes, together[i].sent_bytes);
  }
}

TEST(Replay, PrintsNothingAndLeavesWhatIsToBePrintedAlone) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  std::printf("once");
  replay_step(step(1, 1, 0, true, {bucket(1, {sends(ring_all_reduce(4, 1))})}, 4), *plain_star());
  std::fflush(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "once");
}

}  // namespace
}  // namespace traincast
