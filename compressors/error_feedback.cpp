#include "compressors/error_feedback.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace traincast {

namespace {

using Error = ErrorRule::Error;
constexpr LearnerId kNobody = ~LearnerId{0};

/// Time that belongs to the simulation, not to a learner: taken out of the work that it happens within.
template <class F>
void unseen(Group& group, F&& f) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  f();
  group.exclude(std::chrono::duration<double>(Clock::now() - begin).count());
}

/// Which learner with the lowest number has an element in its support; by learner, how many elements it adds.
class SupportCount {
 public:
  SupportCount(std::uint32_t learners, std::uint64_t numel) : learners_(learners), numel_(numel) {}

  void start() {
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
      LearnerId& first = first_[indices[j]];
      if (first == kNobody) touched_.push_back(indices[j]);
      first = std::min(first, learner);
    }
  }

  ContributionRecord record() const {
    ContributionRecord record;
    if (!reported_) return record;
    record.support = total_;
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
  std::uint64_t total_ = 0;
  bool reported_ = false;
};

/// The mean of all learners' gradients, each read once, in their order.
class MeanGradient final : public GradientSource {
 public:
  MeanGradient(const GradientSource& gradients, std::span<const LearnerId> learners, std::uint64_t numel)
      : mean_(numel) {
    std::vector<float> gradient(numel);
    std::vector<double> sum(numel, 0.0);
    for (LearnerId learner : learners) {
      gradients.read(learner, gradient);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(gradient[i]);
    }
    for (std::size_t i = 0; i < sum.size(); ++i)
      mean_[i] = static_cast<float>(sum[i] / static_cast<double>(learners.size()));
  }
  void read(LearnerId, std::span<float> into) const override {
    std::copy(mean_.begin(), mean_.end(), into.begin());
  }

 private:
  std::vector<float> mean_;
};

}  // namespace

// With beta = 1 a learner's memory holds p = g + m from its first read until its report: one pass to add, and
// what was sent is taken off in place, as implementations do. Another beta needs m and p side by side; p is
// then a copy of the learner read last.
struct ErrorFeedback::State final : GradientSource, Contributions {
  State(std::unique_ptr<Compressor> method, ErrorRule the_rule, std::uint32_t learners,
        std::uint64_t elements, Memories kept)
      : inner(std::move(method)),
        rule(the_rule),
        memories_of(kept),
        numel(elements),
        memories(rule.error == Error::none ? 0 : learners, std::vector<float>(elements, 0.0f)),
        added(memories.size(), false),
        supports(learners, elements) {}

  bool in_place() const { return rule.beta == 1; }

  void start(const GradientSource& source, Group& the_group) {
    gradients = &source;
    group = &the_group;
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
      unseen(*group, [&] { gradients->read(learner, into); });
      return;
    }
    if (reports[learner] != Report::nothing)
      throw std::logic_error("a learner's gradient was read after its contribution was reported");
    // Adding is work, once; an implementation would go on with p where it stands, so the copy is none.
    auto& p = prepared(learner, into);
    unseen(*group, [&] { std::copy(p.begin(), p.end(), into.begin()); });
  }

  bool wants_dense() const override { return rule.error == Error::local; }

  void kept(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
            Selection selection) override {
    unseen(*group, [&] { supports.add(learner, indices, values, selection); });
    note(learner, Report::sparse);
    most_kept = std::max<std::uint64_t>(most_kept, indices.size());
    if (rule.error != Error::local) return;
    auto& p = prepared(learner, scratch_for_gradient());
    for (std::size_t j = 0; j < indices.size(); ++j) p[indices[j]] -= values[j];
    remember(learner);
  }

  void kept(LearnerId learner, std::span<const float> dense) override {
    note(learner, Report::dense);
    if (rule.error != Error::local) return;
    auto& p = prepared(learner, scratch_for_gradient());
    for (std::size_t i = 0; i < dense.size(); ++i) p[i] -= dense[i];
    remember(learner);
  }

  void kept_all(LearnerId learner) override {
    note(learner, Report::all);
    if (rule.error == Error::none) return;
    std::fill(memories[learner].begin(), memories[learner].end(), 0.0f);
  }

  // ---- after the compressor

  /// A learner that reported nothing sent nothing.
  void finish_local() {
    bool dense = rule.beta != 1;
    for (LearnerId learner = 0; learner < memories.size(); ++learner) {
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
      auto& p = prepared(learner, scratch_for_gradient());
      for (std::size_t i = 0; i < p.size(); ++i) p[i] -= average[i];
      remember(learner);
    });
  }

  enum class Report : char { nothing, sparse, dense, all };

  std::unique_ptr<Compressor> inner;
  ErrorRule rule;
  Memories memories_of;
  std::uint64_t numel;

  // Reading changes these, though the compressor sees a source that stays the same.
  mutable std::vector<std::vector<float>> memories;
  mutable std::vector<bool> added;  // by learner: p was formed in this step
  mutable std::vector<float> copy;  // beta other than 1: p of `copied`
  mutable LearnerId copied = kNobody;
  std::vector<float> scratch;

  std::vector<Report> reports;
  std::uint64_t most_kept = 0;
  std::optional<unsigned> first_report_phase;
  SupportCount supports;
  const GradientSource* gradients = nullptr;
  Group* group = nullptr;

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
  std::vector<float>& prepared(LearnerId learner, std::span<float> buffer) const {
    auto& memory = memories[learner];
    bool again = added[learner];
    added[learner] = true;
    if (in_place()) {
      if (again) return memory;
      unseen(*group, [&] { gradients->read(learner, buffer); });
      for (std::size_t i = 0; i < memory.size(); ++i) memory[i] += buffer[i];
      return memory;
    }
    if (copied == learner) return copy;
    copied = learner;
    unseen(*group, [&] {
      copy.resize(numel);
      gradients->read(learner, copy);
    });
    auto add = [&] {
      for (std::size_t i = 0; i < memory.size(); ++i) copy[i] += memory[i];
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
    auto& memory = memories[learner];
    for (std::size_t i = 0; i < memory.size(); ++i)
      memory[i] = (1 - rule.beta) * memory[i] + rule.beta * copy[i];
    copied = kNobody;
  }
};

ErrorFeedback::ErrorFeedback(std::unique_ptr<Compressor> inner, ErrorRule rule, std::uint32_t learners,
                             std::uint64_t numel, Memories memories) {
  if (memories == Memories::mean && !inner->linear())
    throw std::logic_error("the mean of memories does not suffice for a method that is not linear");
  state_ = std::make_unique<State>(std::move(inner), rule, memories == Memories::mean ? 1 : learners, numel,
                                   memories);
}

ErrorFeedback::ErrorFeedback(ErrorFeedback&&) noexcept = default;
ErrorFeedback& ErrorFeedback::operator=(ErrorFeedback&&) noexcept = default;
ErrorFeedback::~ErrorFeedback() = default;

ContributionRecord ErrorFeedback::aggregate(const Step& step, const Bucket& unit,
                                            const GradientSource& gradients, Group& group,
                                            std::span<float> average) {
  if (state_->memories_of == Memories::each) return run(step, unit, gradients, group, average);
  const LearnerId alone[] = {0};
  Step as_one = step;
  as_one.learners = alone;
  Group one(1);
  ContributionRecord record =
      run(as_one, unit, MeanGradient(gradients, step.learners, unit.numel()), one, average);
  group.repeat(one);
  return record;
}

ContributionRecord ErrorFeedback::run(const Step& step, const Bucket& unit, const GradientSource& gradients,
                                      Group& group, std::span<float> average) {
  State& state = *state_;
  state.start(gradients, group);
  if (state.rule.error != Error::none) {
    group.phase(0);
    // The addition itself happens when a method reads, and is timed there.
    group.once(Stage::encode, {{Primitive::elementwise, {state.numel, 0, 0}}}, [] {});
  }
  state.inner->aggregate(step, unit, state, group, state, average);
  if (state.rule.error == Error::local) state.finish_local();
  if (state.rule.error == Error::global) state.finish_global(average);
  return state.supports.record();
}

std::span<const float> ErrorFeedback::memory(LearnerId learner) const {
  if (state_->memories.empty()) return state_->inner->memory(learner);
  return state_->memories[state_->memories_of == Memories::mean ? 0 : learner];
}

void ErrorFeedback::save(Writer& writer) const {
  for (const auto& memory : state_->memories) writer.put_all(std::span<const float>(memory));
  state_->inner->save(writer);
}

void ErrorFeedback::load(Reader& reader) {
  for (auto& memory : state_->memories) {
    auto values = reader.get_all<float>();
    if (values.size() != state_->numel)
      throw InputError("saved error memory holds " + std::to_string(values.size()) + " values, not " +
                       std::to_string(state_->numel));
    memory = std::move(values);
  }
  state_->inner->load(reader);
}

}  // namespace traincast
