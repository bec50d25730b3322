// A step as data: what every learner computes and which collectives wait for what. The unit that is replayed.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "simulator/collectives/schedule.hpp"
#include "simulator/collectives/transport.hpp"
#include "simulator/step/recording.hpp"
#include "simulator/step/tier_load.hpp"

namespace traincast {

/// Work before a collective (or the last decoding), and the collective.
struct PhaseProgram {
  std::vector<double> encode_s;              ///< of each learner, or one for all
  std::vector<double> decode_s;              ///< likewise
  std::shared_ptr<const Schedule> schedule;  ///< null where the phase sends nothing
  double launch_s = 0;                       ///< from the moment that all are ready to the first transfer
  double landing_s = 0;                      ///< of each learner, from its last transfer to its next work
  Word word = Word::all_reduce;
  bool waits = true;
  /// By learner: whether it only receives. The collective starts without it, and what arrives before its own
  /// work is done waits for that. Empty: none does; never all.
  std::vector<bool> only_receives{};
  std::uint32_t fusion_kind = 0;  ///< phases of the same kind can become one collective; 0: never
  Bytes fusion_bytes = 0;         ///< of its message, for the limit
};

/// A phase of a bucket.
struct PhaseId {
  std::size_t bucket = 0, phase = 0;
  auto operator<=>(const PhaseId&) const = default;
};

/// How a library lets collectives wait, so that one carries what several would.
struct Negotiation {
  double cycle_s = 0;  ///< collectives start at multiples of it only; 0: as soon as all are ready
  Bytes fusion = 0;    ///< up to which those that start together become one
  /// The collective of several phases, which can be one. Null where nothing is joined.
  std::function<PhaseProgram(std::span<const PhaseId>)> fuse;
};

struct BucketProgram {
  double ready_s = 0;  ///< seconds of backward after which all its gradients are there
  std::vector<PhaseProgram> phases;
};

struct StepProgram {
  std::uint32_t learners = 1;
  double forward_s = 0, backward_s = 0, optimizer_s = 0;
  bool overlap = true;  ///< false: nothing is encoded or sent before backward is over
  std::vector<BucketProgram> buckets;
  std::uint32_t servers = 0;  ///< hosts behind the learners, which some schedules use
  /// By learner: how many times as long as stated it computes. Empty: as stated.
  std::vector<double> slower{};
  double slowdown = 0;  ///< share of its speed that backward loses while a collective is in flight
  Negotiation negotiation{};
  Transport transport{};
  std::vector<LearnerId> recorded{};  ///< learners whose intervals the timeline keeps
};

/// What a replay tells of one step. Times of the slowest learner; they add up to step_s.
struct Timeline {
  double step_s = 0;
  double compute_s = 0;
  double encode_s = 0, decode_s = 0;  ///< of the slowest learner, hidden or not
  double communication_s = 0;         ///< union of the intervals with a collective in flight
  double exposed_encode_s = 0, exposed_communication_s = 0, exposed_decode_s = 0;
  double slowdown_s = 0;              ///< what backward took longer for collectives in flight
  LearnerId slowest = 0;              ///< that learner
  double wait_s = 0;                  ///< its compute unit idle, no collective in flight: others are late
  double mean_wait_s = 0;             ///< likewise, in the mean over learners, each until the slowest ends
  std::vector<Bytes> sent_bytes;      ///< by learner
  std::vector<Bytes> received_bytes;  ///< by learner
  std::vector<std::pair<std::string, Bytes>>
      tier_bytes;                    ///< summed over a tier's links, in order of tier name
  std::vector<TierLoad> tier_loads;  ///< likewise
  double busiest_link_s = 0;  ///< most bytes on a link over its bandwidth: no communication can take less
  std::uint64_t transfers = 0;
  std::string engine;                  ///< what replayed all of its collectives
  std::vector<LearnerTrack> tracks{};  ///< of the learners that were to be recorded, in that order
};

}  // namespace traincast
