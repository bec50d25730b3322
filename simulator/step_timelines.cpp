#include "simulator/step_timelines.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace traincast {

namespace {

// The learner that alone has more to do than the others in some phase, as the one that selects for all.
LearnerId busiest(const StepProgram& program) {
  for (const BucketProgram& bucket : program.buckets)
    for (const PhaseProgram& phase : bucket.phases)
      for (const std::vector<double>* seconds : {&phase.encode_s, &phase.decode_s})
        if (seconds->size() > 1) {
          auto most = std::max_element(seconds->begin(), seconds->end());
          if (*most > seconds->front() || *most > seconds->back())
            return static_cast<LearnerId>(most - seconds->begin());
        }
  return 0;
}

std::vector<LearnerId> chosen_learners(const StepProgram& program, LearnerId slowest) {
  std::vector<LearnerId> chosen{0, slowest, busiest(program), program.learners - 1};
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

std::size_t typical_step(const std::vector<Timeline>& timelines, double mean) {
  std::size_t nearest = 0;
  for (std::size_t s = 1; s < timelines.size(); ++s)
    if (std::abs(timelines[s].step_s - mean) < std::abs(timelines[nearest].step_s - mean)) nearest = s;
  return nearest;
}

Json to_json(const Interval& interval) {
  Json json;
  json["what"] = to_string(interval.activity);
  json["start"] = interval.start_s;
  json["end"] = interval.end_s;
  bool collective = interval.activity == Activity::collective;
  if (collective || interval.activity == Activity::encode || interval.activity == Activity::decode) {
    json["bucket"] = interval.bucket;
    json["phase"] = interval.phase;
  }
  if (collective) {
    json["word"] = to_string(interval.word);
    json["joined"] = interval.joined;
    json["sent"] = interval.sent;
  }
  return json;
}

Json to_json(const PointReport& point, std::uint64_t step, const Timeline& timeline) {
  Json json;
  json["place"] = point.setting;
  json["bandwidth_bytes_per_second"] = point.bandwidth > 0 ? Json(point.bandwidth) : Json();
  json["label"] = point.label;
  json["learners"] = point.learners;
  json["step"] = step;
  json["step_seconds"] = timeline.step_s;
  json["engine"] = timeline.engine;
  json["slowest"] = timeline.slowest;
  json["tracks"] = Json::Array{};
  for (const LearnerTrack& track : timeline.tracks) {
    Json one;
    one["learner"] = track.learner;
    one["intervals"] = Json::Array{};
    for (const Interval& interval : track.intervals) one["intervals"].push_back(to_json(interval));
    json["tracks"].push_back(std::move(one));
  }
  return json;
}

}  // namespace

Json record_timelines(Study& study, std::span<const ReplayedPoint> points) {
  std::map<std::string, std::uint32_t> most_learners;
  for (const ReplayedPoint& point : points) {
    std::uint32_t& most = most_learners[point.report->place];
    most = std::max(most, point.report->learners);
  }
  struct Recorded {
    const PointReport* report;
    std::size_t step;
    Study::Request run;
  };
  std::vector<Recorded> recorded;
  for (const ReplayedPoint& point : points) {
    if (point.report->learners < most_learners[point.report->place]) continue;
    std::vector<Timeline> timelines = study.timelines(*point.run);
    std::size_t step = typical_step(timelines, point.report->step_seconds.mean);
    recorded.push_back({point.report, step,
                        study.request_recorded(point.run->scenario, step, [&](const StepProgram& program) {
                          return chosen_learners(program, timelines[step].slowest);
                        })});
  }
  study.replay("recording a step");
  Json steps = Json::Array{};
  for (const Recorded& one : recorded)
    steps.push_back(to_json(*one.report, study.manifest().steps[one.step], study.timelines(one.run).front()));
  return steps;
}

}  // namespace traincast
