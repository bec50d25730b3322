#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/error.hpp"
#include "compressors/group.hpp"

namespace traincast {

namespace {

/// The same collective of every place, as one among sub-groups across nodes of so many places.
class Joined {
 public:
  Joined(std::uint32_t places, std::uint32_t nodes) : places_(places), nodes_(nodes) {}

  void add(std::uint32_t place, const Op& op) {
    if (place == 0) {
      op_ = op;
      op_.members = {Among::across, places_};
      op_.value_bytes = op_.encoded = op_.pulled = 0;
      op_.bytes.assign(has_one_size(op) ? 1 : op.bytes.size() * places_, 0);
      op_.rounds.clear();
      if (op.supports) supports_ = std::make_shared<Supports>(op.supports->size() * places_);
    }
    if (op_.word != op.word || op_.element != op.element || op_.root != op.root || op_.count != op.count)
      throw InputError(
          "the learners of a node send different collectives in one place of the method, which "
          "cannot run side by side");
    op_.value_bytes += op.value_bytes;
    op_.encoded += op.encoded;
    op_.pulled = std::max(op_.pulled, op.pulled);
    add_bytes(place, op);
    add_rounds(place, op);
    if (op.supports)
      for (std::uint32_t node = 0; node < nodes_; ++node)
        (*supports_)[learner(node, place)] = (*op.supports)[node];
  }

  /// Servers and rounds know no sub-groups: what they carry of each place, they carry for all.
  Op take() {
    if (op_.word == Word::push_pull || op_.word == Word::rounds) op_.members = {};
    op_.supports = std::move(supports_);
    return std::move(op_);
  }

 private:
  LearnerId learner(std::uint32_t node, std::uint32_t place) const { return node * places_ + place; }

  static bool has_one_size(const Op& op) {
    return op.word == Word::broadcast || (op.word == Word::all_to_all && op.bytes.size() == 1);
  }

  /// Of one size, the longest counts.
  void add_bytes(std::uint32_t place, const Op& op) {
    if (op.bytes.empty()) return;
    if (has_one_size(op)) {
      op_.bytes.front() = std::max(op_.bytes.front(), op.bytes.front());
      return;
    }
    const std::size_t each = op.bytes.size() / nodes_;
    for (std::uint32_t node = 0; node < nodes_; ++node)
      std::copy_n(op.bytes.begin() + static_cast<std::ptrdiff_t>(node * each), each,
                  op_.bytes.begin() + static_cast<std::ptrdiff_t>(learner(node, place) * each));
  }

  void add_rounds(std::uint32_t place, const Op& op) {
    op_.rounds.resize(std::max(op_.rounds.size(), op.rounds.size()));
    for (std::size_t round = 0; round < op.rounds.size(); ++round)
      for (const Transfer& transfer : op.rounds[round])
        op_.rounds[round].push_back(
            {learner(transfer.from, place), learner(transfer.to, place), transfer.bytes});
  }

  std::uint32_t places_, nodes_;
  Op op_;
  std::shared_ptr<Supports> supports_;
};

}  // namespace

void Group::across(unsigned first, std::span<const Group> places) {
  const auto count = static_cast<std::uint32_t>(places.size()), nodes = learners_ / count;
  std::size_t phases = 0;
  for (const Group& place : places) {
    if (place.size() != nodes) throw std::logic_error("a group of nodes in which not every node is");
    phases = std::max(phases, place.phases().size());
  }
  for (std::size_t number = 0; number < phases; ++number) {
    phase(first + static_cast<unsigned>(number));
    Phase& into = now();
    Joined joined(count, nodes);
    bool sends = false;
    for (std::uint32_t place = 0; place < count; ++place) {
      if (number >= places[place].phases().size()) continue;
      const Phase& from = places[place].phases()[number];
      // A learner computes for its own place; what one node's does, its learners do, each in theirs.
      for (Work work : from.work) {
        if (work.only) work.only = *work.only * count + place;
        if (work.only || place == 0) charge(work.stage, {work});
      }
      if (from.op) {
        joined.add(place, *from.op);
        sends = true;
      }
      const PhaseSeconds& seconds = places[place].seconds()[number];
      for (std::size_t stage = 0; stage < 2; ++stage)
        for (std::uint32_t node = 0; node < nodes; ++node)
          seconds_[phase_].each[stage][node * count + place] +=
              seconds.each[stage][node] + seconds.once[stage];
    }
    if (sends) into.op = joined.take();
  }
}

}  // namespace traincast
