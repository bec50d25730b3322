#include "simulator/step/step_executor.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <queue>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/names.hpp"
#include "simulator/step/learner_clock.hpp"
#include "simulator/step/recording.hpp"

namespace traincast {

namespace {

double of_learner(const std::vector<double>& seconds, LearnerId learner) {
  if (seconds.empty()) return 0;
  return seconds.size() == 1 ? seconds.front() : seconds[learner];
}

std::string place(std::size_t bucket, std::size_t phase) {
  return "bucket " + std::to_string(bucket) + ", phase " + std::to_string(phase);
}

[[noreturn]] void malformed(const std::string& where, const std::string& why) {
  throw SimulationError("step program: " + where + ": " + why);
}

void check_seconds(const std::string& where, double seconds) {
  if (!std::isfinite(seconds) || seconds < 0)
    malformed(where, "seconds must be finite and not negative, got " + std::to_string(seconds));
}

void check_seconds(const std::string& where, const std::vector<double>& seconds, std::uint32_t learners) {
  if (seconds.size() > 1 && seconds.size() != learners)
    malformed(where, "holds " + std::to_string(seconds.size()) + " times for " + std::to_string(learners) +
                         " learners; give one for all or one for each");
  for (double s : seconds) check_seconds(where, s);
}

// Sums of layer times may pass the whole by rounding.
constexpr double kRounding = 1e-9;

void check(const StepProgram& program) {
  if (program.learners == 0) malformed("learners", "must be at least 1, got 0");
  check_seconds("forward", program.forward_s);
  check_seconds("backward", program.backward_s);
  check_seconds("optimizer", program.optimizer_s);
  check_seconds("negotiation cycle", program.negotiation.cycle_s);
  if (!program.slower.empty() && program.slower.size() != program.learners)
    malformed("slower", "holds " + std::to_string(program.slower.size()) + " factors for " +
                            std::to_string(program.learners) + " learners");
  for (double factor : program.slower)
    if (!(std::isfinite(factor) && factor > 0))
      malformed("slower", "factors must be finite and positive, got " + std::to_string(factor));
  if (!(program.slowdown >= 0 && program.slowdown < 1))
    malformed("slowdown", "must lie in [0, 1), got " + std::to_string(program.slowdown));
  for (std::size_t b = 0; b < program.buckets.size(); ++b) {
    const BucketProgram& bucket = program.buckets[b];
    std::string where = "bucket " + std::to_string(b);
    check_seconds(where, bucket.ready_s);
    if (bucket.ready_s > program.backward_s * (1 + kRounding))
      malformed(where, "ready after " + std::to_string(bucket.ready_s) + " s of a backward pass of " +
                           std::to_string(program.backward_s) + " s");
    for (std::size_t p = 0; p < bucket.phases.size(); ++p) {
      const PhaseProgram& phase = bucket.phases[p];
      check_seconds(place(b, p), phase.encode_s, program.learners);
      check_seconds(place(b, p), phase.decode_s, program.learners);
      check_seconds(place(b, p), phase.launch_s);
      check_seconds(place(b, p), phase.landing_s);
      if (!phase.only_receives.empty() && (phase.only_receives.size() != program.learners ||
                                           std::ranges::count(phase.only_receives, false) == 0))
        malformed(place(b, p), "some learner must send, and for each it must be known whether it does");
      if (phase.schedule && phase.schedule->ranks() != program.learners &&
          phase.schedule->ranks() != program.learners + program.servers)
        malformed(place(b, p), "a schedule among " + std::to_string(phase.schedule->ranks()) + " ranks for " +
                                   std::to_string(program.learners) + " learners");
    }
  }
}

/// Forward, or backward between two moments at which buckets become ready.
struct Segment {
  double seconds;
  std::vector<std::size_t> ready;  // buckets that are whole when it ends
};

std::vector<Segment> segments_of(const StepProgram& program) {
  std::vector<Segment> segments{{program.forward_s, {}}};
  std::vector<std::size_t> order(program.buckets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!program.overlap) {
    segments.push_back({program.backward_s, order});
    return segments;
  }
  auto ready_s = [&](std::size_t b) { return std::min(program.buckets[b].ready_s, program.backward_s); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ready_s(a) < ready_s(b); });
  double done = 0;
  for (std::size_t b : order) {
    if (segments.size() == 1 || ready_s(b) > done) segments.push_back({ready_s(b) - done, {}});
    segments.back().ready.push_back(b);
    done = ready_s(b);
  }
  if (done < program.backward_s || order.empty()) segments.push_back({program.backward_s - done, {}});
  return segments;
}

class StepExecution {
 public:
  StepExecution(const StepProgram& program, EventLoop& loop, CollectiveEngine& engine)
      : program_(program),
        loop_(loop),
        engine_(engine),
        segments_(segments_of(program)),
        learners_(program.learners),
        collectives_(program.buckets.size()) {
    for (std::size_t b = 0; b < program.buckets.size(); ++b)
      for (const PhaseProgram& phase : program.buckets[b].phases)
        collectives_[b].push_back(
            {program.learners - static_cast<std::uint32_t>(std::ranges::count(phase.only_receives, true))});
    if (!program.recorded.empty()) recorder_.emplace(program.recorded, program.learners);
    for (Learner& learner : learners_) {
      learner.buckets.resize(program.buckets.size());
      learner.open_buckets = program.buckets.size();
    }
  }

  Timeline run() {
    for (LearnerId id = 0; id < learners_.size(); ++id) start_next_item(id);
    loop_.run();
    return timeline();
  }

 private:
  using Kind = LearnerClock::Kind;
  using Work = PhaseId;

  struct BucketState {
    std::size_t phase = 0;     // whose work comes next
    bool work_queued = false;  // it is in the compute queue, or under way
    bool ended = false;
    std::uint32_t in_the_way = 0;  // collectives under way that work waits for
    std::uint32_t open = 0;        // collectives under way
  };
  struct Learner {
    LearnerClock clock;
    std::size_t segment = 0;  // the next
    /// The segment of backward under way, where collectives slow it down.
    struct {
      double left_s = 0, since = 0, speed = 1;  // of its own time
      std::uint64_t number = 0;                 // of the planned end; another plan takes its place
      std::function<void()> then;
    } slowed;
    double slowdown_s = 0;
    std::set<Work> ready_work;
    bool busy = false, waking = false, optimized = false;
    std::vector<BucketState> buckets;
    std::size_t open_buckets = 0;
  };
  struct CollectiveState {
    std::uint32_t awaited;                 // learners that are not ready and for which it waits
    std::uint32_t finished = 0;            // learners
    std::set<LearnerId> before_work = {};  // that it was over for before they came to it
  };

  // ---- the compute queue
  // -----------------------------------------------------------------------------------

  void start_next_item(LearnerId id) {
    Learner& learner = learners_[id];
    if (!learner.ready_work.empty()) {
      Work work = *learner.ready_work.begin();
      learner.ready_work.erase(learner.ready_work.begin());
      encode(id, work);
    } else if (learner.segment < segments_.size()) {
      bool backward = learner.segment > 0;
      const Segment& segment = segments_[learner.segment++];
      auto then = [this, id, &segment] {
        for (std::size_t bucket : segment.ready) go_on(id, bucket);
        start_next_item(id);
      };
      if (backward && program_.slowdown > 0)
        compute_slowed(id, segment.seconds, then);
      else
        compute(id, Kind::compute, backward ? Activity::backward : Activity::forward, {}, segment.seconds,
                then);
    } else if (learner.open_buckets == 0 && !learner.optimized) {
      learner.optimized = true;
      compute(id, Kind::compute, Activity::optimizer, {}, program_.optimizer_s, [this, id] {
        learners_[id].clock.stop(loop_.now());
        if (recorder_) recorder_->stop(id, loop_.now());
        ++finished_learners_;
      });
    } else {
      learner.busy = false;
      turn(id, idle(), idle_activity());
    }
  }

  void turn(LearnerId id, Kind kind, Activity activity, Work work = {}) {
    learners_[id].clock.turn(loop_.now(), kind);
    if (recorder_)
      recorder_->turn(id, loop_.now(), activity, static_cast<std::uint32_t>(work.bucket),
                      static_cast<std::uint32_t>(work.phase));
  }

  void compute(LearnerId id, Kind kind, Activity activity, Work work, double seconds,
               std::function<void()> then) {
    learners_[id].busy = true;
    turn(id, kind, activity, work);
    loop_.after(seconds * slower(id), std::move(then));
  }

  void compute_slowed(LearnerId id, double seconds, std::function<void()> then) {
    Learner& learner = learners_[id];
    seconds *= slower(id);
    learner.busy = true;
    turn(id, Kind::compute, Activity::backward);
    learner.slowdown_s -= seconds;
    learner.slowed.left_s = seconds;
    learner.slowed.then = std::move(then);
    plan_slowed(id);
  }

  // At the speed of this moment; planned anew when that changes.
  void plan_slowed(LearnerId id) {
    auto& slowed = learners_[id].slowed;
    slowed.since = loop_.now();
    slowed.speed = in_flight_ > 0 ? 1 - program_.slowdown : 1;
    loop_.after(slowed.left_s / slowed.speed, [this, id, number = ++slowed.number, begin = loop_.now()] {
      Learner& learner = learners_[id];
      if (learner.slowed.number != number) return;
      learner.slowdown_s += loop_.now() - begin;
      std::exchange(learner.slowed.then, nullptr)();
    });
  }

  void change_speed(LearnerId id) {
    Learner& learner = learners_[id];
    if (!learner.slowed.then) return;
    double passed = loop_.now() - learner.slowed.since;
    learner.slowdown_s += passed;
    learner.slowed.left_s = std::max(0.0, learner.slowed.left_s - passed * learner.slowed.speed);
    plan_slowed(id);
  }

  void encode(LearnerId id, Work work) {
    double seconds = of_learner(phase(work).encode_s, id);
    if (seconds == 0) return decode(id, work);
    compute(id, Kind::encode, Activity::encode, work, seconds, [this, id, work] { decode(id, work); });
  }

  void decode(LearnerId id, Work work) {
    auto then = [this, id, work] {
      work_done(id, work);
      go_on(id, work.bucket);
      start_next_item(id);
    };
    double seconds = of_learner(phase(work).decode_s, id);
    if (seconds == 0) return then();
    compute(id, Kind::decode, Activity::decode, work, seconds, then);
  }

  // After everything that happens at this moment, so that of the work that becomes ready with it the first in
  // order is taken.
  void wake(LearnerId id) {
    if (learners_[id].busy || learners_[id].waking) return;
    learners_[id].waking = true;
    loop_.after(0, [this, id] {
      learners_[id].waking = false;
      if (!learners_[id].busy) start_next_item(id);
    });
  }

  // ---- buckets
  // ---------------------------------------------------------------------------------------------

  // Queues the bucket's next work as soon as nothing is in its way; phases without work pass at once.
  void go_on(LearnerId id, std::size_t bucket) {
    Learner& learner = learners_[id];
    BucketState& state = learner.buckets[bucket];
    std::size_t phases = program_.buckets[bucket].phases.size();
    while (!state.work_queued && !state.ended) {
      bool last = state.phase + 1 >= phases;
      if ((last ? state.open : state.in_the_way) > 0) return;
      if (state.phase == phases) {
        state.ended = true;
        --learner.open_buckets;
        wake(id);
        return;
      }
      Work work{bucket, state.phase};
      state.work_queued = true;
      if (of_learner(phase(work).encode_s, id) + of_learner(phase(work).decode_s, id) > 0) {
        learner.ready_work.insert(work);
        wake(id);
        return;
      }
      work_done(id, work);
    }
  }

  void work_done(LearnerId id, Work work) {
    BucketState& state = learners_[id].buckets[work.bucket];
    state.work_queued = false;
    ++state.phase;
    if (!phase(work).schedule) return;
    if (collective(work).before_work.erase(id) == 0) {
      ++state.open;
      if (phase(work).waits) ++state.in_the_way;
    }
    if (!phase(work).only_receives.empty() && phase(work).only_receives[id]) return;
    if (--collective(work).awaited == 0) {
      negotiated_.insert(work);
      if (negotiated_.size() == 1) loop_.after(until_next_cycle(), [this] { start_negotiated(); });
    }
  }

  // ---- collectives
  // -----------------------------------------------------------------------------------------

  double until_next_cycle() const {
    double cycle = program_.negotiation.cycle_s;
    if (cycle == 0) return 0;
    return std::max(0.0, std::ceil(loop_.now() / cycle - kRounding) * cycle - loop_.now());
  }

  // What became ready at one moment, or in one cycle, starts in order of bucket and phase.
  void start_negotiated() {
    std::set<Work> ready = std::exchange(negotiated_, {});
    while (!ready.empty()) {
      std::vector<Work> together = take_fusible(ready);
      if (together.size() > 1) fused_.push_back(program_.negotiation.fuse(together));
      launch(together.size() > 1 ? fused_.back() : phase(together.front()), together);
    }
  }

  // The first, and those of its kind behind it that fit.
  std::vector<Work> take_fusible(std::set<Work>& ready) const {
    std::vector<Work> together{*ready.begin()};
    ready.erase(ready.begin());
    const PhaseProgram& first = phase(together.front());
    if (!program_.negotiation.fuse || first.fusion_kind == 0) return together;
    Bytes bytes = first.fusion_bytes;
    for (auto at = ready.begin(); at != ready.end();) {
      const PhaseProgram& next = phase(*at);
      bool fits = next.fusion_kind == first.fusion_kind && next.waits == first.waits &&
                  bytes + next.fusion_bytes <= program_.negotiation.fusion;
      if (!fits) {
        ++at;
        continue;
      }
      bytes += next.fusion_bytes;
      together.push_back(*at);
      at = ready.erase(at);
    }
    return together;
  }

  void launch(const PhaseProgram& carried, const std::vector<Work>& works) {
    for (std::size_t i = 0; i < works.size(); ++i) change_in_flight(+1);
    auto start = [this, &carried, works, ready = loop_.now()] {
      auto landed = [this, &carried, works, ready](LearnerId learner) {
        if (recorder_) record(carried, works, ready, learner);
        for (Work work : works) finished(work, learner);
      };
      engine_.start(
          *carried.schedule,
          std::string(to_string(carried.word)) + " of " + place(works.front().bucket, works.front().phase),
          [this, landed, landing = carried.landing_s](Rank rank) {
            if (rank >= learners_.size()) return;  // a server
            if (landing == 0) return landed(rank);
            loop_.after(landing, [landed, rank] { landed(rank); });
          });
    };
    if (carried.launch_s == 0) return start();
    loop_.after(carried.launch_s, std::move(start));
  }

  void record(const PhaseProgram& carried, const std::vector<Work>& works, double ready, LearnerId learner) {
    if (!recorder_->records(learner)) return;
    recorder_->collective(
        learner, {Activity::collective, ready, loop_.now(), static_cast<std::uint32_t>(works.front().bucket),
                  static_cast<std::uint32_t>(works.front().phase), static_cast<std::uint32_t>(works.size()),
                  carried.word, bytes_sent_by(*carried.schedule, learner)});
  }

  void finished(Work work, LearnerId id) {
    BucketState& state = learners_[id].buckets[work.bucket];
    const bool has_come_to_it = state.phase > work.phase;
    if (has_come_to_it) {
      --state.open;
      if (phase(work).waits) --state.in_the_way;
    } else {
      collective(work).before_work.insert(id);
    }
    if (++collective(work).finished == learners_.size()) change_in_flight(-1);
    if (has_come_to_it) go_on(id, work.bucket);
  }

  void change_in_flight(int change) {
    bool before = in_flight_ > 0;
    in_flight_ += change;
    if (before == (in_flight_ > 0)) return;
    double now = loop_.now();
    if (before)
      communication_s_ += now - in_flight_since_;
    else
      in_flight_since_ = now;
    for (LearnerId id = 0; id < learners_.size(); ++id)
      if (!learners_[id].busy && !learners_[id].clock.stopped()) turn(id, idle(), idle_activity());
    for (LearnerId id = 0; id < learners_.size(); ++id) change_speed(id);
  }

  double slower(LearnerId id) const { return program_.slower.empty() ? 1 : program_.slower[id]; }
  Kind idle() const { return in_flight_ > 0 ? Kind::communication : Kind::wait; }
  Activity idle_activity() const { return in_flight_ > 0 ? Activity::communication : Activity::wait; }
  const PhaseProgram& phase(Work work) const { return program_.buckets[work.bucket].phases[work.phase]; }
  CollectiveState& collective(Work work) { return collectives_[work.bucket][work.phase]; }

  // ---- what came out
  // ---------------------------------------------------------------------------------------

  Timeline timeline() {
    if (finished_learners_ < learners_.size())
      throw SimulationError("replay: " + deadlock_message(learners_.size() - finished_learners_,
                                                          learners_.size(), engine_.waiting()));
    const Learner& last = slowest_learner();
    const LearnerClock& slowest = last.clock;
    Timeline result;
    result.step_s = slowest.end();
    result.slowest = static_cast<LearnerId>(&last - learners_.data());
    result.slowdown_s = std::max(0.0, last.slowdown_s);
    result.compute_s = slowest.spent(Kind::compute) - result.slowdown_s;
    result.encode_s = result.exposed_encode_s = slowest.spent(Kind::encode);
    result.decode_s = result.exposed_decode_s = slowest.spent(Kind::decode);
    result.communication_s = communication_s_;
    result.exposed_communication_s = slowest.spent(Kind::communication);
    result.wait_s = slowest.spent(Kind::wait);
    for (const Learner& learner : learners_)
      result.mean_wait_s +=
          (learner.clock.spent(Kind::wait) + std::max(0.0, result.step_s - learner.clock.end())) /
          static_cast<double>(learners_.size());
    result.sent_bytes = engine_.sent_bytes();
    result.received_bytes = engine_.received_bytes();
    result.transfers = engine_.transfers();
    if (recorder_) result.tracks = recorder_->take();
    return result;
  }

  // Of those that end last the lowest rank; ends that differ by rounding are the same.
  const Learner& slowest_learner() const {
    double end = 0;
    for (const Learner& learner : learners_) end = std::max(end, learner.clock.end());
    return *std::find_if(learners_.begin(), learners_.end(),
                         [end](const Learner& learner) { return learner.clock.end() >= end * (1 - 1e-12); });
  }

  const StepProgram& program_;
  EventLoop& loop_;
  CollectiveEngine& engine_;
  std::vector<Segment> segments_;
  std::vector<Learner> learners_;
  std::vector<std::vector<CollectiveState>> collectives_;  // by bucket and phase
  std::set<Work> negotiated_;
  std::deque<PhaseProgram> fused_;  // while they are carried out
  int in_flight_ = 0;
  double in_flight_since_ = 0, communication_s_ = 0;
  std::size_t finished_learners_ = 0;
  std::optional<StepRecorder> recorder_;
};

}  // namespace

Timeline execute_step(const StepProgram& program, EventLoop& loop, CollectiveEngine& collectives) {
  check(program);
  return StepExecution(program, loop, collectives).run();
}

std::string deadlock_message(std::size_t unfinished, std::size_t learners,
                             const std::vector<std::string>& waiting) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shown(
      waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, waiting.size())));
  if (waiting.size() > kShown)
    shown.push_back("and " + std::to_string(waiting.size() - kShown) + " more wait");
  return std::to_string(unfinished) + " of " + std::to_string(learners) +
         (learners == 1 ? " learner" : " learners") + " cannot finish" + (shown.empty() ? "" : ": ") +
         join(shown, "; ");
}

}  // namespace traincast
