#include "compressors/error_feedback.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "base/bf16.hpp"
#include "compressors/draws.hpp"
#include "compressors/learner_vectors.hpp"
#include "compressors/momentum.hpp"

namespace traincast {

namespace {

using Error = ErrorRule::Error;
constexpr LearnerId kNobody = ~LearnerId{0};

/// Time that belongs to the simulation, not to a learner: taken out of the work that it happens within.
template <class F>
void unseen(Group& group, F&& f) {
  double before = group.excluded(), begin = group.seconds_now();
  f();
  double within = group.excluded() - before;
  group.exclude(group.seconds_now() - begin - within);
}

/// To one of the two bf16 beside it, so that the expectation is the value: of its lower half at random.
std::uint16_t round_to_bf16_at_random(float value, std::uint32_t draw) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  std::uint32_t up = bits + (draw >> 16);
  return static_cast<std::uint16_t>(((up & 0x7fffffff) < 0x7f800000 ? up : bits) >> 16);
}

/// Memories of two bytes a number, one vector for each learner, zero at first.
class HalfVectors {
 public:
  HalfVectors(std::uint32_t learners, std::uint64_t numel) : numel_(numel), values_(learners * numel, 0) {}
  std::span<std::uint16_t> operator[](LearnerId learner) {
    return {values_.data() + learner * numel_, numel_};
  }

 private:
  std::uint64_t numel_;
  std::vector<std::uint16_t> values_;
};

/// Which learner with the lowest number has an element in its support; by learner, how many elements it adds.
class SupportCount {
 public:
  SupportCount(std::uint32_t learners, std::uint64_t numel) : learners_(learners), numel_(numel) {}

  void keep() { places_.resize(learners_); }

  void start() {
    for (std::vector<Index>& places : places_) places.clear();
    for (Index index : touched_) first_[index] = kNobody;
    touched_.clear();
    total_ = 0;
    reported_ = false;
  }

  void add(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
           Selection selection) {
    if (first_.empty()) first_.assign(numel_, kNobody);
    reported_ = true;
    for (std::size_t j = 0; j < indices.size(); ++j) {
      if (selection == Selection::own && values[j] == 0) continue;
      ++total_;
      if (!places_.empty()) places_[learner].push_back(indices[j]);
      LearnerId& first = first_[indices[j]];
      if (first == kNobody) touched_.push_back(indices[j]);
      first = std::min(first, learner);
    }
  }

  ContributionRecord record() const {
    ContributionRecord record;
    if (!reported_) return record;
    record.support = total_;
    record.supports = places_;
    record.union_by_hop.assign(learners_, 0);
    for (Index index : touched_) ++record.union_by_hop[first_[index]];
    for (std::size_t h = 1; h < learners_; ++h) record.union_by_hop[h] += record.union_by_hop[h - 1];
    return record;
  }

 private:
  std::uint32_t learners_;
  std::uint64_t numel_;
  std::vector<LearnerId> first_;  // by element; made with the first report
  std::vector<Index> touched_;
  std::vector<std::vector<Index>> places_;  // by learner; empty unless kept
  std::uint64_t total_ = 0;
  bool reported_ = false;
};

/// The mean of all learners' gradients, each read once, in their order.
std::vector<float> mean_of(const GradientSource& gradients, std::span<const LearnerId> learners,
                           std::uint64_t numel) {
  std::vector<float> gradient(numel);
  std::vector<double> sum(numel, 0.0);
  for (LearnerId learner : learners) {
    gradients.read(learner, gradient);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(gradient[i]);
  }
  for (std::size_t i = 0; i < sum.size(); ++i)
    gradient[i] = static_cast<float>(sum[i] / static_cast<double>(learners.size()));
  return gradient;
}

/// One vector, whoever reads.
class OneGradient final : public GradientSource {
 public:
  explicit OneGradient(std::span<const float> gradient) : gradient_(gradient) {}
  void read(LearnerId, std::span<float> into) const override {
    std::copy(gradient_.begin(), gradient_.end(), into.begin());
  }

 private:
  std::span<const float> gradient_;
};

}  // namespace

// With beta = 1 a learner's memory holds p = g + m from its first read until its report: one pass to add, and
// what was sent is taken off in place, as implementations do. Another beta, or memories in bf16, need m and p
// side by side; p is then a copy of the learner read last.
struct ErrorFeedback::State final : GradientSource, Contributions {
  State(std::unique_ptr<Compressor> method, ErrorRule the_rule, std::uint32_t learners,
        std::uint64_t elements, Memories kept, std::uint64_t the_seed, HeldIn held_in)
      : inner(std::move(method)),
        rule(the_rule),
        memories_of(kept),
        numel(elements),
        seed(the_seed),
        remembering(rule.error == Error::none ? 0 : learners),
        memories(rule.in_bf16 ? 0 : remembering, elements, held_in),
        halves(rule.in_bf16 ? remembering : 0, elements),
        added(remembering, false),
        supports(learners, elements),
        raw(*this) {
    if (rule.error == Error::none) rule.in_updates = rule.in_bf16 = false;  // there is no memory
    if (rule.momentum_before) momentum.emplace(*rule.momentum_before, learners, elements);
    if (rule.momentum_after) velocity.assign(elements, 0.0f);
  }

  bool in_place() const { return rule.beta == 1 && !rule.in_bf16; }

  /// In `shown` where numbers are held in bf16.
  std::span<const float> memory(LearnerId learner) const {
    if (!rule.in_bf16) return memories[learner];
    std::span<const std::uint16_t> half = halves[learner];
    shown.resize(numel);
    for (std::size_t i = 0; i < half.size(); ++i) shown[i] = bf16_value(half[i]);
    return shown;
  }

  void set_memory(LearnerId learner, std::span<const float> values) {
    if (!rule.in_bf16) {
      std::ranges::copy(values, memories[learner].begin());
      return;
    }
    std::span<std::uint16_t> half = halves[learner];
    for (std::size_t i = 0; i < half.size(); ++i) half[i] = bf16_bits(values[i]);
  }

  void start(const Step& step, const Bucket& unit, const GradientSource& source, Group& the_group) {
    if (rule.in_updates && !(step.learning_rate > 0))
      throw InputError("a memory in updates needs a learning rate above 0, got " +
                       std::to_string(step.learning_rate));
    learning_rate = rule.in_updates ? static_cast<float>(step.learning_rate) : 1;
    key = {.seed = seed, .purpose = Purpose::memory, .step = step.index, .learner = 0, .tensor = unit.id};
    recorded = &source;
    group = &the_group;
    gradients = momentum ? &momentum->over(raw) : &raw;
    std::fill(added.begin(), added.end(), false);
    reports.assign(group->size(), Report::nothing);
    copied = kNobody;
    most_kept = 0;
    first_report_phase.reset();
    supports.start();
  }

  // ---- what the compressor sees

  void read(LearnerId learner, std::span<float> into) const override {
    if (rule.error == Error::none) {
      gradients->read(learner, into);
      return;
    }
    if (reports[learner] != Report::nothing)
      throw std::logic_error("a learner's gradient was read after its contribution was reported");
    // Adding is work, once; an implementation would go on with p where it stands, so the copy is none.
    auto p = prepared(learner, into);
    unseen(*group, [&] { std::copy(p.begin(), p.end(), into.begin()); });
  }

  bool wants_dense() const override { return rule.error == Error::local; }

  void kept(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
            Selection selection) override {
    unseen(*group, [&] { supports.add(learner, indices, values, selection); });
    note(learner, Report::sparse);
    most_kept = std::max<std::uint64_t>(most_kept, indices.size());
    if (rule.error != Error::local) return;
    auto p = prepared(learner, scratch_for_gradient());
    for (std::size_t j = 0; j < indices.size(); ++j) p[indices[j]] -= values[j];
    remember(learner);
  }

  void kept(LearnerId learner, std::span<const float> dense) override {
    note(learner, Report::dense);
    if (rule.error != Error::local) return;
    auto p = prepared(learner, scratch_for_gradient());
    for (std::size_t i = 0; i < dense.size(); ++i) p[i] -= dense[i];
    remember(learner);
  }

  void kept_all(LearnerId learner) override {
    note(learner, Report::all);
    if (rule.error == Error::none) return;
    if (rule.in_bf16)
      std::ranges::fill(halves[learner], std::uint16_t{0});
    else
      std::ranges::fill(memories[learner], 0.0f);
  }

  // ---- after the compressor

  /// A learner that reported nothing sent nothing.
  void finish_local() {
    bool dense = rule.beta != 1 || rule.in_bf16;
    for (LearnerId learner = 0; learner < remembering; ++learner) {
      if (reports[learner] == Report::dense) dense = true;
      if (reports[learner] != Report::nothing) continue;
      prepared(learner, scratch_for_gradient());
      remember(learner);
    }
    if (!first_report_phase || !any_lossy()) return;
    Work update{dense ? Primitive::elementwise : Primitive::scatter, {numel, dense ? 0 : most_kept, 0}};
    group->phase(*first_report_phase);
    group->once(Stage::encode, {update}, [] {});
  }

  void finish_global(std::span<const float> average) {
    if (!any_lossy()) return;
    const auto& phases = group->phases();
    std::size_t last = phases.empty() ? 0 : phases.size() - 1;
    if (!phases.empty() && phases.back().op) ++last;
    group->phase(static_cast<unsigned>(last));
    group->each(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}}, [&](LearnerId learner) {
      if (reports[learner] == Report::all) return;
      auto p = prepared(learner, scratch_for_gradient());
      for (std::size_t i = 0; i < p.size(); ++i) p[i] -= average[i];
      remember(learner);
    });
  }

  enum class Report : char { nothing, sparse, dense, all };

  /// Every learner does the same with what arrived.
  void finish_average(std::span<float> average) {
    if (rule.in_updates)
      for (float& value : average) value /= learning_rate;
    if (!rule.momentum_after) return;
    const auto& phases = group->phases();
    std::size_t last = phases.empty() ? 0 : phases.size() - 1;
    if (!phases.empty() && phases.back().op) ++last;
    group->phase(static_cast<unsigned>(last));
    group->once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}},
                [&] { Momentum::move(*rule.momentum_after, velocity, average); });
  }

  std::unique_ptr<Compressor> inner;
  ErrorRule rule;
  Memories memories_of;
  std::uint64_t numel, seed;
  float learning_rate = 1;  // 1 where the memory is in gradients
  StreamKey key;            // of this step's rounding
  std::optional<Momentum> momentum;
  std::vector<float> velocity;

  std::uint32_t remembering;  // learners that have a memory
  // Reading changes these, though the compressor sees a source that stays the same.
  mutable LearnerVectors memories;  // of floats
  mutable HalfVectors halves;       // or in bf16
  mutable std::vector<float> shown;
  mutable std::vector<bool> added;  // by learner: p was formed in this step
  mutable std::vector<float> copy;  // where p is not formed in place: that of `copied`
  mutable LearnerId copied = kNobody;
  std::vector<float> scratch;

  std::vector<Report> reports;
  std::uint64_t most_kept = 0;
  std::optional<unsigned> first_report_phase;
  SupportCount supports;
  const GradientSource* recorded = nullptr;
  const GradientSource* gradients = nullptr;  // `raw`, or momenta over it
  Group* group = nullptr;

  /// Reading a recorded gradient is nobody's work.
  struct Raw final : GradientSource {
    explicit Raw(const State& the_state) : state(the_state) {}
    void read(LearnerId learner, std::span<float> into) const override {
      unseen(*state.group, [&] { state.recorded->read(learner, into); });
    }
    const State& state;
  } raw;

 private:
  bool any_lossy() const {
    return std::any_of(reports.begin(), reports.end(), [](Report report) { return report != Report::all; });
  }

  void note(LearnerId learner, Report report) {
    if (reports[learner] != Report::nothing)
      throw std::logic_error("a learner's contribution was reported twice");
    reports[learner] = report;
    if (!first_report_phase && !group->phases().empty())
      first_report_phase = static_cast<unsigned>(group->phases().size() - 1);
  }

  std::span<float> scratch_for_gradient() {
    scratch.resize(numel);
    return scratch;
  }

  /// p of this learner, in its memory or in the copy; `buffer` may be used to read the gradient into.
  std::span<float> prepared(LearnerId learner, std::span<float> buffer) const {
    bool again = added[learner];
    added[learner] = true;
    if (in_place()) {
      std::span<float> memory = memories[learner];
      if (again) return memory;
      gradients->read(learner, buffer);
      for (std::size_t i = 0; i < memory.size(); ++i) memory[i] += learning_rate * buffer[i];
      return memory;
    }
    if (copied == learner) return copy;
    copied = learner;
    copy.resize(numel);
    auto add = [&] {
      gradients->read(learner, copy);
      if (rule.in_bf16) {
        std::span<const std::uint16_t> m = halves[learner];
        for (std::size_t i = 0; i < m.size(); ++i) copy[i] = learning_rate * copy[i] + bf16_value(m[i]);
      } else {
        std::span<const float> m = memories[learner];
        for (std::size_t i = 0; i < m.size(); ++i) copy[i] = learning_rate * copy[i] + m[i];
      }
    };
    if (again)
      unseen(*group, add);
    else
      add();
    return copy;
  }

  /// m ← (1 − beta)·m + beta·(p − sent), what was sent being taken off p already.
  void remember(LearnerId learner) {
    if (in_place()) return;
    copied = kNobody;
    if (!rule.in_bf16) {
      std::span<float> m = memories[learner];
      for (std::size_t i = 0; i < m.size(); ++i) m[i] = (1 - rule.beta) * m[i] + rule.beta * copy[i];
      return;
    }
    std::span<std::uint16_t> m = halves[learner];
    if (rule.beta != 1)
      for (std::size_t i = 0; i < m.size(); ++i)
        copy[i] = (1 - rule.beta) * bf16_value(m[i]) + rule.beta * copy[i];
    key.learner = learner;
    for_each_draw(KeyedDraws(key), numel, [&](std::uint64_t i, std::uint32_t draw) {
      m[i] = round_to_bf16_at_random(copy[i], draw);
    });
  }
};

ErrorFeedback::ErrorFeedback(std::unique_ptr<Compressor> inner, ErrorRule rule, std::uint32_t learners,
                             std::uint64_t numel, Memories memories, std::uint64_t seed, HeldIn held_in) {
  if (memories == Memories::mean && !inner->linear())
    throw std::logic_error("the mean of memories does not suffice for a method that is not linear");
  state_ = std::make_unique<State>(std::move(inner), rule, memories == Memories::mean ? 1 : learners, numel,
                                   memories, seed, held_in);
}

ErrorFeedback::ErrorFeedback(ErrorFeedback&&) noexcept = default;
ErrorFeedback& ErrorFeedback::operator=(ErrorFeedback&&) noexcept = default;
ErrorFeedback::~ErrorFeedback() = default;

ContributionRecord ErrorFeedback::aggregate(const Step& step, const Bucket& unit,
                                            const GradientSource& gradients, Group& group,
                                            std::span<float> average) {
  if (state_->memories_of == Memories::each) return run(step, unit, gradients, group, average);
  return aggregate_mean(step, unit, mean_of(gradients, step.learners, unit.numel()), group, average);
}

ContributionRecord ErrorFeedback::aggregate_mean(const Step& step, const Bucket& unit,
                                                 std::span<const float> mean_gradient, Group& group,
                                                 std::span<float> average) {
  if (state_->memories_of != Memories::mean) throw std::logic_error("every learner's memory is kept");
  const LearnerId alone[] = {0};
  Step as_one = step;
  as_one.learners = alone;
  Group one = group.inner(1, group.stands_for());
  ContributionRecord record = run(as_one, unit, OneGradient(mean_gradient), one, average);
  group.repeat(one);
  return record;
}

ContributionRecord ErrorFeedback::run(const Step& step, const Bucket& unit, const GradientSource& gradients,
                                      Group& group, std::span<float> average) {
  State& state = *state_;
  state.start(step, unit, gradients, group);
  const Work pass{Primitive::elementwise, {state.numel, 0, 0}};
  // Adding and moving themselves happen when a method reads, and are timed there.
  for (bool works : {state.rule.error != Error::none, state.rule.momentum_before.has_value()})
    if (works) {
      group.phase(0);
      group.once(Stage::encode, {pass}, [] {});
    }
  state.inner->aggregate(step, unit, state, group, state, average);
  if (state.rule.error == Error::local) state.finish_local();
  if (state.rule.error == Error::global) state.finish_global(average);
  state.finish_average(average);
  return state.supports.record();
}

void ErrorFeedback::keep_supports() { state_->supports.keep(); }

std::span<const float> ErrorFeedback::memory(LearnerId learner) const {
  if (state_->remembering == 0) return state_->inner->memory(learner);
  return state_->memory(state_->memories_of == Memories::mean ? 0 : learner);
}

double ErrorFeedback::memory_in_gradients(const Step& step) const {
  return state_->rule.in_updates ? 1 / step.learning_rate : 1;
}

void ErrorFeedback::save(Writer& writer) const {
  for (LearnerId learner = 0; learner < state_->remembering; ++learner)
    writer.put_all(state_->memory(learner));
  if (state_->momentum) state_->momentum->save(writer);
  if (!state_->velocity.empty()) writer.put_all(std::span<const float>(state_->velocity));
  state_->inner->save(writer);
}

void ErrorFeedback::load(Reader& reader) {
  auto next = [&] {
    auto values = reader.get_all<float>();
    if (values.size() != state_->numel)
      throw InputError("saved error memory holds " + std::to_string(values.size()) + " values, not " +
                       std::to_string(state_->numel));
    return values;
  };
  for (LearnerId learner = 0; learner < state_->remembering; ++learner) state_->set_memory(learner, next());
  if (state_->momentum) state_->momentum->load(reader);
  if (!state_->velocity.empty()) state_->velocity = next();
  state_->inner->load(reader);
}

}  // namespace traincast
