// The process group as a compressor sees it. It carries out the collectives on real buffers, for all learners
// in one process, and records what they would have sent and computed, phase by phase.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

using Message = std::vector<std::byte>;

/// Seconds that the phases of one unit took here: of each learner (`each`, `at`), plus what is charged to all
/// (`once`).
struct PhaseSeconds {
  std::vector<double> each[2];  ///< by Stage, then learner
  double once[2] = {0, 0};      ///< by Stage
};

struct SparseVector {
  std::vector<Index> indices;  ///< rising
  std::vector<float> values;
};

/// Seconds since some moment: of the wall clock, or of the processor for this thread, which other work on the
/// machine does not move.
using SecondsClock = double (*)();
double wall_clock();
double thread_clock();

class Group {
 public:
  /// `stands_for`: more than `learners` where these are a sample of alike ones.
  explicit Group(std::uint32_t learners, std::uint32_t stands_for = 0, SecondsClock clock = wall_clock);

  /// A group of as many others, timed by the same clock, for what a method runs inside of itself.
  Group inner(std::uint32_t learners, std::uint32_t stands_for = 0) const {
    return Group(learners, stands_for, clock_);
  }

  std::uint32_t size() const { return learners_; }
  /// How many learners there are: what work and sizes of messages follow from.
  std::uint32_t stands_for() const { return stands_for_; }

  /// What follows belongs to this phase. Ops of the same phase of a bucket's tensors are joined into one
  /// collective, so a method numbers its collectives the same way for every tensor (PowerSGD: P 0,
  /// one-dimensional tensors 1, Q 2, decode 3).
  void phase(unsigned number);

  /// f for learners 0 … N−1 in this order; each learner's time is its own.
  void each(Stage stage, std::vector<Work> work, const std::function<void(LearnerId)>& f);
  /// Computed once here and charged to every learner, for it is the same everywhere.
  void once(Stage stage, std::vector<Work> work, const std::function<void()>& f);
  /// One learner computes, the others do not.
  void at(LearnerId learner, Stage stage, std::vector<Work> work, const std::function<void()>& f);

  /// Sums addends in flight: `addend(i, out)` writes learner i's (zeroed before), and is timed as its work of
  /// encoding. Summed in learner order; addends must be representable as `element`, and every partial sum is
  /// rounded to bf16 or fp16, as in a ring. Sums of integers that overflow are a programming error
  /// (std::logic_error): the method refuses such a number of learners.
  void all_reduce(Element element, std::span<float> sum, std::vector<Work> work,
                  const std::function<void(LearnerId, std::span<float>)>& addend, bool waits = true);
  /// Every learner's message reaches every learner. `message(i, value_bytes)` builds learner i's, timed as
  /// its work of encoding, and says how many of its bytes are gradient values.
  std::vector<Message> all_gather(std::vector<Work> work,
                                  const std::function<Message(LearnerId, Bytes&)>& message);
  /// The element-wise largest of all addends reaches every learner (a shared scale); none of its bytes are
  /// gradient values.
  void all_reduce_max(std::span<float> largest, std::vector<Work> work,
                      const std::function<void(LearnerId, std::span<float>)>& addend);
  /// Sums sparse vectors in flight; `addend(i)` gives learner i's, timed as its work of encoding. Their
  /// supports are recorded, so that messages grow on the way as these unite. An entry travels as
  /// `entry_bytes`, four of them its value.
  void sparse_all_reduce(std::span<float> sum, Bytes entry_bytes, std::vector<Work> work,
                         const std::function<SparseVector(LearnerId)>& addend);

  // The following record what travels; a method computes on its own, with `each`, `once` and `at`, what its
  // learners do with it.

  /// The root's message reaches every learner; none of its bytes are gradient values.
  void broadcast(LearnerId root, Bytes bytes);
  /// From learner i to learner j in place i·N + j, or one size between any two. What stays at its learner
  /// counts as contributed, and does not travel.
  void all_to_all(std::vector<Bytes> bytes, Bytes value_bytes);
  /// Each learner's message goes to the servers, and what they make of all comes back to each learner.
  void push_pull(std::vector<Bytes> pushed, Bytes pulled, Bytes value_bytes);
  /// Rounds of messages between two learners, each at most one sent and one taken in a round; of these bytes
  /// `encoded` are what learners contribute, summed over them, and not what they pass on.
  void rounds(std::vector<std::vector<Transfer>> rounds, Bytes encoded, Bytes value_bytes);

  /// What the only learner of another group did, as done by every learner of this one: sums only.
  void repeat(const Group& one);

  /// The phases of another group of as many learners, from `first` on, which lies behind all of this one's.
  void append(unsigned first, const Group& later);

  /// A collective as it stands, among all or among sub-groups. Throws std::logic_error where nodes of that
  /// size do not fill the group, or the word cannot run among sub-groups.
  void record(Op op);

  /// What each learner of a node does with the others in its place: groups of the nodes, one for each place,
  /// whose phases become this group's from `first` on, among sub-groups across nodes. Throws InputError where
  /// places send collectives that are not alike.
  void across(unsigned first, std::span<const Group> places);

  /// What was recorded, by phase number.
  const std::vector<Phase>& phases() const { return phases_; }
  const std::vector<PhaseSeconds>& seconds() const { return seconds_; }

  /// Time spent in here so far that no real learner would spend (reading a recorded gradient); subtracted
  /// from the work around it.
  void exclude(double seconds) { excluded_ += seconds; }
  double excluded() const { return excluded_; }
  double seconds_now() const { return clock_(); }

 private:
  Phase& now();
  Op& issue(Word word);
  double timed(const std::function<void()>& f);
  void charge(Stage stage, std::vector<Work> work);

  std::uint32_t learners_, stands_for_;
  SecondsClock clock_;
  unsigned phase_ = 0;
  double excluded_ = 0;
  std::vector<Phase> phases_;
  std::vector<PhaseSeconds> seconds_;
};

/// The collectives of a bucket's units joined phase by phase: counts, messages and work add up. A phase in
/// which no unit did anything stays, empty. Units that issue different collectives in the same phase, as
/// several methods under one policy do, make further phases behind it, in the order of the units: the work
/// of all is in the first.
BucketExchange fuse(std::span<const std::vector<Phase>> units);

/// The seconds of the same units, added up likewise; as many phases as fuse gives.
std::vector<PhaseSeconds> fuse_seconds(std::span<const std::vector<Phase>> units,
                                       std::span<const std::vector<PhaseSeconds>> seconds);

}  // namespace traincast
