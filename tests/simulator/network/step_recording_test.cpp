// Intervals of a step: against a timeline derived by hand, and against the sums that a timeline tells.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "simulator/replay/replay.hpp"
#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

std::shared_ptr<const Schedule> ring(std::uint32_t learners, std::uint64_t megabytes) {
  return make_schedule("ring", Collective{.ranks = learners, .count = megabytes * 250'000});
}

// Times in milliseconds. The first learner alone takes `leads` longer to encode.
StepProgram two_buckets(std::uint32_t learners, double leads = 0) {
  StepProgram program{learners, 1e-3, 4e-3, 0.5e-3, true, {}};
  for (double ready : {1e-3, 4e-3}) {
    BucketProgram& bucket = program.buckets.emplace_back(BucketProgram{ready, {}});
    PhaseProgram encode, decode;
    encode.encode_s.assign(leads > 0 ? learners : 1, 0.2e-3);
    encode.encode_s[0] += leads;
    encode.schedule = ring(learners, ready < 2e-3 ? 4 : 1);
    decode.decode_s = {0.1e-3};
    bucket.phases = {encode, decode};
  }
  return program;
}

std::string told(const LearnerTrack& track, Activity only_or_not, bool only) {
  std::string text;
  for (const Interval& interval : track.intervals) {
    if ((interval.activity == only_or_not) != only) continue;
    char line[96];
    std::snprintf(line, sizeof line, "%s %u %.2f-%.2f; ", std::string(to_string(interval.activity)).c_str(),
                  interval.bucket, interval.start_s * 1e3, interval.end_s * 1e3);
    text += line;
  }
  return text;
}

// forward 0–1; backward 1–2; encode bucket 0 2–2.2; backward 2.2–5.2; encode bucket 1 5.2–5.4.
// bucket 0 (4 MB) on the wire 2.2–6.24, decode 6.24–6.34; bucket 1 (1 MB) 6.24–7.28, decode 7.28–7.38;
// optimizer 7.38–7.88. Idle: 5.4–6.24 and 6.34–7.28. In a ring of two each sends the whole message once.
TEST(StepRecording, HasTheIntervalsOfTheDerivation) {
  StepProgram program = two_buckets(2);
  program.recorded = {1};
  for (Engine engine : {Engine::simgrid, Engine::flow, Engine::max_plus}) {
    Timeline timeline = replay_step(program, *plain_star(), engine);
    ASSERT_EQ(timeline.tracks.size(), 1u);
    const LearnerTrack& track = timeline.tracks.front();
    EXPECT_EQ(track.learner, 1u);
    EXPECT_EQ(told(track, Activity::collective, false),
              "forward 0 0.00-1.00; backward 0 1.00-2.00; encode 0 2.00-2.20; backward 0 2.20-5.20; "
              "encode 1 5.20-5.40; communication 0 5.40-6.24; decode 0 6.24-6.34; communication 0 6.34-7.28; "
              "decode 1 7.28-7.38; optimizer 0 7.38-7.88; ");
    EXPECT_EQ(told(track, Activity::collective, true), "collective 0 2.20-6.24; collective 1 6.24-7.28; ");
    std::vector<Bytes> sent;
    for (const Interval& interval : track.intervals)
      if (interval.activity == Activity::collective) sent.push_back(interval.sent);
    EXPECT_THAT(sent, testing::ElementsAre(4'000'000, 1'000'000));
  }
}

TEST(StepRecording, AddsUpToTheTimelineAndToTheBytesSent) {
  for (const char* algorithm : {"ring", "halving_doubling", "double_binary_tree", "binomial_tree"})
    for (double slowdown : {0.0, 0.25}) {
      StepProgram program = two_buckets(8, 0.3e-3);
      for (BucketProgram& bucket : program.buckets)
        bucket.phases[0].schedule = make_schedule(algorithm, Collective{.ranks = 8, .count = 250'000});
      program.slowdown = slowdown;
      Timeline plain = replay_step(program, *plain_star(), Engine::flow);
      program.recorded = {0, 3, plain.slowest, 7, 7, 100};  // twice, and one who is not there
      Timeline timeline = replay_step(program, *plain_star(), Engine::flow);
      EXPECT_EQ(timeline.step_s, plain.step_s) << "recording changes nothing";
      EXPECT_EQ(timeline.wait_s, plain.wait_s);
      for (const LearnerTrack& track : timeline.tracks) {
        std::map<Activity, double> spent;
        double end = 0;
        Bytes sent = 0;
        for (const Interval& interval : track.intervals) {
          if (interval.activity == Activity::collective) {
            sent += interval.sent;
            continue;
          }
          EXPECT_NEAR(interval.start_s, end, 1e-15) << "no gap";
          end = interval.end_s;
          spent[interval.activity] += interval.end_s - interval.start_s;
        }
        EXPECT_EQ(sent, timeline.sent_bytes[track.learner]) << algorithm;
        if (track.learner != timeline.slowest) continue;
        EXPECT_NEAR(end, timeline.step_s, 1e-15);
        EXPECT_NEAR(spent[Activity::forward] + spent[Activity::backward] + spent[Activity::optimizer],
                    timeline.compute_s + timeline.slowdown_s, 1e-12);
        EXPECT_NEAR(spent[Activity::encode], timeline.encode_s, 1e-12);
        EXPECT_NEAR(spent[Activity::decode], timeline.decode_s, 1e-12);
        EXPECT_NEAR(spent[Activity::communication], timeline.exposed_communication_s, 1e-12);
        EXPECT_NEAR(spent[Activity::wait], timeline.wait_s, 1e-12);
      }
    }
}

TEST(StepRecording, KeepsNothingThatWasNotAskedFor) {
  EXPECT_TRUE(replay_step(two_buckets(4), *plain_star()).tracks.empty());
}

}  // namespace
}  // namespace traincast
