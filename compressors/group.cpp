#include "compressors/group.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <stdexcept>

#include "base/bf16.hpp"
#include "base/fp16.hpp"

namespace traincast {

namespace {

std::size_t place(Stage stage) { return stage == Stage::encode ? 0 : 1; }

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

// Units lie one behind another in their bucket's vector.
std::shared_ptr<const Supports> joined(const Supports& first, std::uint64_t count, const Supports& second) {
  auto all = std::make_shared<Supports>(first);
  for (std::size_t learner = 0; learner < all->size(); ++learner)
    for (Index place : second[learner]) (*all)[learner].push_back(static_cast<Index>(count + place));
  return all;
}

/// Whether one collective can carry both.
bool joinable(const Op& a, const Op& b) {
  auto same_ends = [](const Transfer& x, const Transfer& y) { return x.from == y.from && x.to == y.to; };
  auto same_round = [&](const std::vector<Transfer>& x, const std::vector<Transfer>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same_ends);
  };
  return a.word == b.word && a.element == b.element && a.root == b.root && a.waits == b.waits &&
         a.bytes.size() == b.bytes.size() && a.entry_bytes == b.entry_bytes && a.members == b.members &&
         std::equal(a.rounds.begin(), a.rounds.end(), b.rounds.begin(), b.rounds.end(), same_round);
}

void add_op(Op& all, const Op& op) {
  if (op.supports) all.supports = joined(*all.supports, all.count, *op.supports);
  all.count += op.count;
  all.value_bytes += op.value_bytes;
  all.pulled += op.pulled;
  all.encoded += op.encoded;
  for (std::size_t i = 0; i < op.bytes.size(); ++i) all.bytes[i] += op.bytes[i];
  for (std::size_t r = 0; r < op.rounds.size(); ++r)
    for (std::size_t i = 0; i < op.rounds[r].size(); ++i) all.rounds[r][i].bytes += op.rounds[r][i].bytes;
}

/// The collectives of one phase of these units, joined where they can be.
std::vector<Op> ops_of(std::span<const std::vector<Phase>> units, std::size_t phase) {
  std::vector<Op> ops;
  for (const auto& unit : units) {
    if (phase >= unit.size() || !unit[phase].op) continue;
    const Op& op = *unit[phase].op;
    auto like = std::find_if(ops.begin(), ops.end(), [&](const Op& other) { return joinable(other, op); });
    if (like == ops.end())
      ops.push_back(op);
    else
      add_op(*like, op);
  }
  return ops;
}

float rounded(Element element, float sum) {
  constexpr float kLargest16 = 32767, kLargest8 = 127;
  switch (element) {
    case Element::bf16: return round_to_bf16(sum);
    case Element::fp16: return round_to_fp16(sum);
    case Element::int16:
    case Element::int8:
      if (std::fabs(sum) > (element == Element::int8 ? kLargest8 : kLargest16))
        throw std::logic_error("a sum of integers in flight overflows");
      break;
    case Element::int32:
      if (std::fabs(sum) > 0x1p24f) throw std::logic_error("a sum of integers in flight is no longer exact");
      break;
    case Element::fp32: break;
  }
  return sum;
}

template <class Unit>
std::size_t longest(std::span<const Unit> units) {
  std::size_t phases = 0;
  for (const Unit& unit : units) phases = std::max(phases, unit.size());
  return phases;
}

}  // namespace

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double thread_clock() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Group::Group(std::uint32_t learners, std::uint32_t stands_for, SecondsClock clock)
    : learners_(learners), stands_for_(std::max(learners, stands_for)), clock_(clock) {}

void Group::phase(unsigned number) { phase_ = number; }

Phase& Group::now() {
  while (phases_.size() <= phase_) {
    phases_.emplace_back();
    PhaseSeconds& seconds = seconds_.emplace_back();
    for (auto& each : seconds.each) each.assign(learners_, 0.0);
  }
  return phases_[phase_];
}

Op& Group::issue(Word word) {
  Phase& phase = now();
  if (phase.op) throw std::logic_error("two collectives of one unit in one phase");
  Op& op = phase.op.emplace();
  op.word = word;
  return op;
}

double Group::timed(const std::function<void()>& f) {
  double excluded_before = excluded_, begin = clock_();
  f();
  double elapsed = clock_() - begin;
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
  Op& op = issue(Word::all_reduce);
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
    if (element == Element::fp32)
      for (std::size_t i = 0; i < next.size(); ++i) sum[i] += next[i];
    else
      for (std::size_t i = 0; i < next.size(); ++i) sum[i] = rounded(element, sum[i] + next[i]);
  }
}

void Group::all_reduce_max(std::span<float> largest, std::vector<Work> work,
                           const std::function<void(LearnerId, std::span<float>)>& addend) {
  charge(Stage::encode, std::move(work));
  issue(Word::all_reduce).count = largest.size();
  auto& seconds = seconds_[phase_].each[place(Stage::encode)];
  std::vector<float> next(largest.size());
  for (LearnerId learner = 0; learner < learners_; ++learner) {
    std::fill(next.begin(), next.end(), 0.0f);
    seconds[learner] += timed([&] { addend(learner, next); });
    for (std::size_t i = 0; i < next.size(); ++i)
      largest[i] = learner == 0 ? next[i] : std::max(largest[i], next[i]);
  }
}

void Group::sparse_all_reduce(std::span<float> sum, Bytes entry_bytes, std::vector<Work> work,
                              const std::function<SparseVector(LearnerId)>& addend) {
  charge(Stage::encode, std::move(work));
  Op& op = issue(Word::sparse_all_reduce);
  op.count = sum.size();
  op.entry_bytes = entry_bytes;
  auto supports = std::make_shared<Supports>(learners_);
  auto& seconds = seconds_[phase_].each[place(Stage::encode)];
  std::fill(sum.begin(), sum.end(), 0.0f);
  for (LearnerId learner = 0; learner < learners_; ++learner) {
    SparseVector sent;
    seconds[learner] += timed([&] { sent = addend(learner); });
    for (std::size_t j = 0; j < sent.indices.size(); ++j) sum[sent.indices[j]] += sent.values[j];
    op.value_bytes += sizeof(float) * sent.values.size();
    (*supports)[learner] = std::move(sent.indices);
  }
  op.supports = std::move(supports);
}

std::vector<Message> Group::all_gather(std::vector<Work> work,
                                       const std::function<Message(LearnerId, Bytes&)>& message) {
  charge(Stage::encode, std::move(work));
  Op& op = issue(Word::all_gather);
  std::vector<Message> messages(learners_);
  auto& seconds = seconds_[phase_].each[place(Stage::encode)];
  for (LearnerId learner = 0; learner < learners_; ++learner) {
    Bytes value_bytes = 0;
    seconds[learner] += timed([&] { messages[learner] = message(learner, value_bytes); });
    op.bytes.push_back(messages[learner].size());
    op.value_bytes += value_bytes;
  }
  return messages;
}

void Group::broadcast(LearnerId root, Bytes bytes) {
  Op& op = issue(Word::broadcast);
  op.bytes = {bytes};
  op.root = root;
}

void Group::all_to_all(std::vector<Bytes> bytes, Bytes value_bytes) {
  Op& op = issue(Word::all_to_all);
  op.bytes = std::move(bytes);
  op.value_bytes = value_bytes;
}

void Group::push_pull(std::vector<Bytes> pushed, Bytes pulled, Bytes value_bytes) {
  Op& op = issue(Word::push_pull);
  op.bytes = std::move(pushed);
  op.pulled = pulled;
  op.value_bytes = value_bytes;
}

void Group::rounds(std::vector<std::vector<Transfer>> rounds, Bytes encoded, Bytes value_bytes) {
  Op& op = issue(Word::rounds);
  op.rounds = std::move(rounds);
  op.encoded = encoded;
  op.value_bytes = value_bytes;
}

void Group::repeat(const Group& one) {
  phases_ = one.phases_;
  seconds_ = one.seconds_;
  for (Phase& phase : phases_) {
    if (!phase.op) continue;
    if (phase.op->word != Word::all_reduce) throw std::logic_error("only sums are the same for all learners");
    phase.op->value_bytes *= learners_;
  }
  for (PhaseSeconds& seconds : seconds_)
    for (auto& each : seconds.each) each.assign(learners_, each.at(0));
}

void Group::append(unsigned first, const Group& later) {
  if (phases_.size() > first) throw std::logic_error("phases to append to are taken");
  phase(first);
  now();
  phases_.pop_back();
  seconds_.pop_back();
  phases_.insert(phases_.end(), later.phases_.begin(), later.phases_.end());
  seconds_.insert(seconds_.end(), later.seconds_.begin(), later.seconds_.end());
}

void Group::record(Op op) {
  const Subgroups& members = op.members;
  if (members.among != Among::all) {
    if (members.node_size == 0 || learners_ % members.node_size != 0)
      throw std::logic_error("sub-groups of nodes that are not full");
    if (op.word == Word::push_pull || op.word == Word::rounds || op.word == Word::neighbours)
      throw std::logic_error("this collective cannot run among sub-groups");
  }
  issue(op.word) = std::move(op);
}

BucketExchange fuse(std::span<const std::vector<Phase>> units) {
  BucketExchange bucket;
  for (std::size_t number = 0; number < longest(units); ++number) {
    Phase& first = bucket.phases.emplace_back();
    for (const auto& unit : units)
      if (number < unit.size())
        for (const Work& work : unit[number].work) add_work(first.work, work);
    std::vector<Op> ops = ops_of(units, number);
    if (!ops.empty()) first.op = std::move(ops.front());
    for (std::size_t i = 1; i < ops.size(); ++i) bucket.phases.push_back({{}, std::move(ops[i])});
  }
  return bucket;
}

std::vector<PhaseSeconds> fuse_seconds(std::span<const std::vector<Phase>> units,
                                       std::span<const std::vector<PhaseSeconds>> seconds) {
  std::vector<PhaseSeconds> bucket;
  for (std::size_t number = 0; number < longest(units); ++number) {
    PhaseSeconds& first = bucket.emplace_back();
    for (const auto& unit : seconds)
      for (std::size_t stage = 0; number < unit.size() && stage < 2; ++stage) {
        const auto& each = unit[number].each[stage];
        auto& joined = first.each[stage];
        joined.resize(std::max(joined.size(), each.size()), 0.0);
        for (std::size_t learner = 0; learner < each.size(); ++learner) joined[learner] += each[learner];
        first.once[stage] += unit[number].once[stage];
      }
    PhaseSeconds nothing = first;
    for (std::size_t stage = 0; stage < 2; ++stage) {
      nothing.each[stage].assign(first.each[stage].size(), 0.0);
      nothing.once[stage] = 0;
    }
    for (std::size_t i = 1; i < ops_of(units, number).size(); ++i) bucket.push_back(nothing);
  }
  return bucket;
}

}  // namespace traincast
