// The interface of a method: written as its paper writes it, over all learners at once, against a group that
// records.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/exchange.hpp"
#include "base/serial.hpp"
#include "compressors/group.hpp"

namespace traincast {

struct Step {
  std::uint64_t index = 0;  ///< counted from the first step of training
  double epoch = 0;
  double learning_rate = 0;
  std::span<const LearnerId> learners;  ///< 0 … N−1
  /// ‖gradient‖₂ of the whole model by learner, for methods that need it; else empty.
  std::span<const double> gradient_norms{};
};

/// What the learners want to send: the gradient, or gradient plus error memory.
class GradientSource {
 public:
  virtual ~GradientSource() = default;
  /// Fills `into` (numel of the unit) for one learner; repeatable, until that learner's contribution was
  /// reported.
  virtual void read(LearnerId learner, std::span<float> into) const = 0;
};

/// Who chose the entries that a learner kept.
enum class Selection {
  own,     ///< the learner, from its own values: an explicit zero among them is no support
  shared,  ///< all learners send the same index set, which is every learner's support
};

/// Where a method reports what each learner really contributed; error feedback subtracts it ("local" error),
/// or, for the "global" error, the average that all receive. One report per learner and call of aggregate at
/// most, after the last read of that learner's source: the memory changes at once.
class Contributions {
 public:
  virtual ~Contributions() = default;
  /// False where a dense report would change nothing, so that a method need not compute it: an unreported
  /// learner is the same as one with a dense report then.
  virtual bool wants_dense() const { return true; }
  virtual void kept(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
                    Selection selection) = 0;
  virtual void kept(LearnerId learner, std::span<const float> dense) = 0;
  /// Sent without loss: the memory becomes zero under either convention.
  virtual void kept_all(LearnerId learner) = 0;
};

/// What one call of aggregate sees. Nothing else passes between such units.
enum class Coupling { tensor, bucket, model };

struct MomentumRule {
  enum class Kind {
    averaged,    ///< m ← f·m + (1 − f)·g, m is sent (Signum)
    heavy_ball,  ///< m ← f·m + g, m is sent
    nesterov,    ///< m ← f·m + g, g + f·m is sent (BytePS)
  } kind = Kind::heavy_ball;
  float factor = 0.9f;
};

/// What learners keep around a method: how its paper remembers what it did not send, and what a scenario
/// adds.
struct ErrorRule {
  enum class Error { none, local, global } error = Error::none;
  /// Low-pass filter of ScaleCom (Chen et al. 2020, eq. 5): m ← (1 − beta)·m + beta·(p − sent). 1 is plain
  /// error feedback.
  float beta = 1;
  /// p = learning rate · g + m, as in Mem-SGD and EF-signSGD, and the method compresses updates; else
  /// p = g + m. The two differ where the learning rate changes, and for methods that do not scale.
  bool in_updates = false;
  /// Memories are held in bf16, rounded up or down at random so that the expectation is exact.
  bool in_bf16 = false;
  /// Of the learners' gradients, before the memory is added.
  std::optional<MomentumRule> momentum_before{};
  /// Of the average, after it has arrived; the same at every learner.
  std::optional<MomentumRule> momentum_after{};
};

class Codec;

class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual Coupling coupling() const = 0;
  /// The parts of a bucket that calls of aggregate see, each by a compressor of its own: by `coupling`, where
  /// no policy says otherwise.
  virtual std::vector<Bucket> units(const Bucket& bucket) const;
  /// The error feedback that the method's paper uses; the scenario may choose another.
  virtual ErrorRule error_rule() const = 0;
  /// Likewise around this unit, where a policy gives units to several methods.
  virtual ErrorRule error_rule_for(const Bucket&) const { return error_rule(); }
  /// Whether sizes of messages follow from the unit's shape and the number of learners, and every learner
  /// sends the same, so that a run without gradients can have them from one learner.
  virtual bool sizes_follow_from_shape() const { return false; }
  /// Whether no size of a message is known before its values are: the host then waits for it.
  virtual bool sizes_depend_on_values() const { return !sizes_follow_from_shape(); }
  /// Whether `average` is the mean of what the learners report as kept, up to rounding: not where servers or
  /// ranks on the way compress anew.
  virtual bool averages_contributions() const { return true; }
  /// Whether the expectation of what a learner keeps is what it read.
  virtual bool unbiased() const { return false; }
  /// In which of its ways of working the method is in a step, in the order in which they come: what is sent
  /// and computed is alike only within one (warm-ups).
  virtual std::uint32_t regime(const Step&) const { return 0; }
  /// Whether multiples of the gradients give that multiple of the average; not where only signs are sent.
  virtual bool scales() const { return true; }
  /// Whether, in exact arithmetic, what all apply depends on the learners' vectors only through their mean;
  /// all collectives are sums then, and one learner that has the mean can stand for all.
  virtual bool linear() const { return false; }
  /// Learners of a node, where collectives run within and across nodes; 1 where they run among all.
  virtual std::uint32_t node_size() const { return 1; }
  /// Throws InputError where the method cannot run with so many learners.
  virtual void refuse_learners(std::uint32_t learners) const {
    if (learners % node_size() != 0)
      throw InputError("needs nodes that are full, got " + std::to_string(learners) +
                       " learners in nodes of " + std::to_string(node_size()));
  }
  /// Whether `Step::gradient_norms` must be there.
  virtual bool needs_gradient_norms() const { return false; }
  /// Whether the method keeps a memory of its own.
  virtual bool remembers() const { return false; }
  /// Whether no memory may be put around it, for that or another reason.
  virtual bool forbids_memory() const { return remembers(); }
  /// What the method itself remembers of what this learner did not send yet; empty where it does not.
  virtual std::span<const float> memory(LearnerId) const { return {}; }
  /// The codec of its messages, where the method has one.
  virtual Codec* codec() { return nullptr; }
  /// Runs one step of one unit: reads each learner's vector, sends through the group, fills `average` with
  /// what every learner applies. `average` has the unit's numel.
  virtual void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                         Contributions& contributions, std::span<float> average) = 0;
  /// All state that outlives a step, so that a run resumes to the byte.
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
};

}  // namespace traincast
