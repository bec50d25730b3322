#include "compressors/group.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "compressors/bf16.hpp"

namespace traincast {

namespace {

std::size_t place(Stage stage) { return stage == Stage::encode ? 0 : 1; }

Op& issue(Phase& phase) {
  if (phase.op) throw std::logic_error("two collectives of one unit in one phase");
  return phase.op.emplace();
}

void add_work(std::vector<Work>& all, const Work& work) {
  for (Work& known : all) {
    Work alike = known;
    alike.count = work.count;
    if (alike == work) {
      known.count += work.count;
      return;
    }
  }
  all.push_back(work);
}

void add_op(Op& all, const Op& op) {
  if (all.word != op.word || all.element != op.element || all.root != op.root || all.waits != op.waits ||
      all.bytes.size() != op.bytes.size())
    throw std::logic_error("different collectives in the same phase of one bucket");
  all.count += op.count;
  all.value_bytes += op.value_bytes;
  for (std::size_t i = 0; i < op.bytes.size(); ++i) all.bytes[i] += op.bytes[i];
}

template <class Unit>
std::size_t longest(std::span<const Unit> units) {
  std::size_t phases = 0;
  for (const Unit& unit : units) phases = std::max(phases, unit.size());
  return phases;
}

}  // namespace

Group::Group(std::uint32_t learners) : learners_(learners) {}

void Group::phase(unsigned number) { phase_ = number; }

Phase& Group::now() {
  while (phases_.size() <= phase_) {
    phases_.emplace_back();
    PhaseSeconds& seconds = seconds_.emplace_back();
    for (auto& each : seconds.each) each.assign(learners_, 0.0);
  }
  return phases_[phase_];
}

double Group::timed(const std::function<void()>& f) {
  using Clock = std::chrono::steady_clock;
  double excluded_before = excluded_;
  auto begin = Clock::now();
  f();
  double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  return std::max(0.0, elapsed - (excluded_ - excluded_before));
}

void Group::charge(Stage stage, std::vector<Work> work) {
  Phase& current = now();
  for (Work& item : work) {
    item.stage = stage;
    add_work(current.work, item);
  }
}

void Group::each(Stage stage, std::vector<Work> work, const std::function<void(LearnerId)>& f) {
  charge(stage, std::move(work));
  auto& seconds = seconds_[phase_].each[place(stage)];
  for (LearnerId learner = 0; learner < learners_; ++learner) seconds[learner] += timed([&] { f(learner); });
}

void Group::once(Stage stage, std::vector<Work> work, const std::function<void()>& f) {
  charge(stage, std::move(work));
  seconds_[phase_].once[place(stage)] += timed(f);
}

void Group::at(LearnerId learner, Stage stage, std::vector<Work> work, const std::function<void()>& f) {
  for (Work& item : work) item.only = learner;
  charge(stage, std::move(work));
  seconds_[phase_].each[place(stage)][learner] += timed(f);
}

void Group::all_reduce(Element element, std::span<float> sum, std::vector<Work> work,
                       const std::function<void(LearnerId, std::span<float>)>& addend, bool waits) {
  charge(Stage::encode, std::move(work));
  Op& op = issue(now());
  op.word = Word::all_reduce;
  op.element = element;
  op.count = sum.size();
  op.value_bytes = learners_ * sum.size() * size_of(element);
  op.waits = waits;

  auto& seconds = seconds_[phase_].each[place(Stage::encode)];
  std::fill(sum.begin(), sum.end(), 0.0f);
  seconds[0] += timed([&] { addend(0, sum); });
  std::vector<float> next(learners_ > 1 ? sum.size() : 0);
  for (LearnerId learner = 1; learner < learners_; ++learner) {
    std::fill(next.begin(), next.end(), 0.0f);
    seconds[learner] += timed([&] { addend(learner, next); });
    if (element == Element::bf16)
      for (std::size_t i = 0; i < next.size(); ++i) sum[i] = round_to_bf16(sum[i] + next[i]);
    else
      for (std::size_t i = 0; i < next.size(); ++i) sum[i] += next[i];
  }
}

std::vector<Message> Group::all_gather(std::vector<Work> work,
                                       const std::function<Message(LearnerId)>& message,
                                       const std::function<Bytes(const Message&)>& value_bytes) {
  charge(Stage::encode, std::move(work));
  Op& op = issue(now());
  op.word = Word::all_gather;
  std::vector<Message> messages(learners_);
  auto& seconds = seconds_[phase_].each[place(Stage::encode)];
  for (LearnerId learner = 0; learner < learners_; ++learner) {
    seconds[learner] += timed([&] { messages[learner] = message(learner); });
    op.bytes.push_back(messages[learner].size());
    op.value_bytes += value_bytes(messages[learner]);
  }
  return messages;
}

void Group::broadcast(LearnerId root, Bytes bytes) {
  Op& op = issue(now());
  op.word = Word::broadcast;
  op.bytes = {bytes};
  op.root = root;
}

BucketExchange fuse(std::span<const std::vector<Phase>> units) {
  BucketExchange bucket;
  bucket.phases.resize(longest(units));
  for (const auto& unit : units)
    for (std::size_t number = 0; number < unit.size(); ++number) {
      Phase& joined = bucket.phases[number];
      for (const Work& work : unit[number].work) add_work(joined.work, work);
      if (!unit[number].op) continue;
      if (joined.op)
        add_op(*joined.op, *unit[number].op);
      else
        joined.op = unit[number].op;
    }
  return bucket;
}

std::vector<PhaseSeconds> fuse_seconds(std::span<const std::vector<PhaseSeconds>> units) {
  std::vector<PhaseSeconds> bucket(longest(units));
  for (const auto& unit : units)
    for (std::size_t number = 0; number < unit.size(); ++number)
      for (std::size_t stage = 0; stage < 2; ++stage) {
        const auto& each = unit[number].each[stage];
        auto& joined = bucket[number].each[stage];
        joined.resize(std::max(joined.size(), each.size()), 0.0);
        for (std::size_t learner = 0; learner < each.size(); ++learner) joined[learner] += each[learner];
        bucket[number].once[stage] += unit[number].once[stage];
      }
  return bucket;
}

}  // namespace traincast
