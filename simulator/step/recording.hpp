// What chosen learners do in a step, interval by interval: kept on request, for figures and traces.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/exchange.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

enum class Activity : std::uint8_t {
  forward,
  backward,
  encode,
  decode,
  optimizer,
  communication,  ///< idle, with a collective in flight
  wait,           ///< idle, without one
  collective,     ///< beside the others: its share of a collective
};
std::string_view to_string(Activity activity);

struct Interval {
  Activity activity = Activity::wait;
  double start_s = 0, end_s = 0;
  std::uint32_t bucket = 0, phase = 0;  ///< encode, decode and collective; of joined ones the first
  std::uint32_t joined = 1;             ///< collective: how many phases it carries
  Word word = Word::all_reduce;         ///< collective
  Bytes sent = 0;                       ///< collective: by this learner
};

/// Of one learner, in order of their ends. All but collectives follow each other without gaps. A collective
/// begins when all learners are ready for it and this one is done with the collective before.
struct LearnerTrack {
  LearnerId learner = 0;
  std::vector<Interval> intervals;
};

/// What a rank sends in a collective.
Bytes bytes_sent_by(const Schedule& schedule, Rank rank);

/// Keeps the intervals of some learners while a step is carried out.
class StepRecorder {
 public:
  StepRecorder(const std::vector<LearnerId>& recorded, std::uint32_t learners);

  bool records(LearnerId learner) const { return places_[learner] != kNone; }
  /// From now on the learner does this; what it did until now ends.
  void turn(LearnerId learner, double now, Activity activity, std::uint32_t bucket = 0,
            std::uint32_t phase = 0);
  void stop(LearnerId learner, double now);
  /// A collective that is over for the learner; `interval.start_s` is when all were ready for it.
  void collective(LearnerId learner, Interval interval);

  std::vector<LearnerTrack> take() { return std::move(tracks_); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<std::uint32_t> places_;  // of learners among the tracks
  std::vector<LearnerTrack> tracks_;
  std::vector<Interval> open_;
  std::vector<double> network_free_;
};

}  // namespace traincast
