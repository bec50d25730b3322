#include "simulator/step/recording.hpp"

#include <algorithm>

namespace traincast {

std::string_view to_string(Activity activity) {
  switch (activity) {
    case Activity::forward: return "forward";
    case Activity::backward: return "backward";
    case Activity::encode: return "encode";
    case Activity::decode: return "decode";
    case Activity::optimizer: return "optimizer";
    case Activity::communication: return "communication";
    case Activity::wait: return "wait";
    case Activity::collective: return "collective";
  }
  return "";
}

Bytes bytes_sent_by(const Schedule& schedule, Rank rank) {
  Bytes sent = 0;
  if (auto ring = schedule.ring()) {
    std::size_t ranks = schedule.ranks();
    for (std::uint32_t round = 0; round < ring->rounds; ++round)
      sent += ring->blocks[(rank + ranks - round % ranks) % ranks];
    return sent;
  }
  Action action;
  for (std::uint32_t channel = 0; channel < schedule.channels(); ++channel)
    for (auto program = schedule.program(rank, channel); program->next(action);)
      if (action.kind == Action::Kind::send) sent += action.bytes;
  return sent;
}

StepRecorder::StepRecorder(const std::vector<LearnerId>& recorded, std::uint32_t learners)
    : places_(learners, kNone) {
  for (LearnerId learner : recorded) {
    if (learner >= learners || records(learner)) continue;
    places_[learner] = static_cast<std::uint32_t>(tracks_.size());
    tracks_.push_back({learner, {}});
  }
  open_.resize(tracks_.size());
  network_free_.resize(tracks_.size(), 0);
}

void StepRecorder::turn(LearnerId learner, double now, Activity activity, std::uint32_t bucket,
                        std::uint32_t phase) {
  if (!records(learner)) return;
  Interval& open = open_[places_[learner]];
  bool goes_on = open.activity == activity && open.bucket == bucket && open.phase == phase;
  if (goes_on) return;
  stop(learner, now);
  open = {activity, now, now, bucket, phase};
}

void StepRecorder::stop(LearnerId learner, double now) {
  if (!records(learner)) return;
  Interval& open = open_[places_[learner]];
  open.end_s = now;
  if (open.end_s > open.start_s) tracks_[places_[learner]].intervals.push_back(open);
}

void StepRecorder::collective(LearnerId learner, Interval interval) {
  if (!records(learner)) return;
  double& free = network_free_[places_[learner]];
  interval.start_s = std::max(interval.start_s, free);
  free = std::max(free, interval.end_s);
  tracks_[places_[learner]].intervals.push_back(interval);
}

}  // namespace traincast
