#include "simulator/collectives/program_parts.hpp"

#include <algorithm>
#include <bit>

namespace traincast {

namespace {

constexpr auto kSend = Action::Kind::send;
constexpr auto kReceive = Action::Kind::receive;
constexpr auto kReduce = Action::Kind::reduce;

// At distance d, aligned groups of 2d ranks deal with the same 2d blocks: the halves of a group hold (or will
// hold) one half of the blocks each.
Action half(Action::Kind kind, Rank partner, Rank owner, std::uint32_t distance, const Division& division) {
  std::uint32_t first = owner / distance * distance;
  return division.action(kind, partner, first, first + distance);
}

std::uint32_t logarithm(std::uint32_t power_of_two) {
  return static_cast<std::uint32_t>(std::countr_zero(power_of_two));
}

class Steps : public RankProgram {
 public:
  explicit Steps(std::vector<Action> actions) : actions_(std::move(actions)) {}

  bool next(Action& action) override {
    if (at_ == actions_.size()) return false;
    action = actions_[at_++];
    return true;
  }

 private:
  std::vector<Action> actions_;
  std::size_t at_ = 0;
};

class OneAfterAnother : public RankProgram {
 public:
  OneAfterAnother(Program first, Program second) : first_(std::move(first)), second_(std::move(second)) {}

  bool next(Action& action) override {
    if (first_ && first_->next(action)) return true;
    first_.reset();
    return second_->next(action);
  }

 private:
  Program first_, second_;
};

class Repeated : public RankProgram {
 public:
  Repeated(std::uint32_t count, std::function<Program(std::uint32_t)> make)
      : count_(count), make_(std::move(make)) {}

  bool next(Action& action) override {
    while (true) {
      if (now_ && now_->next(action)) return true;
      if (at_ == count_) return false;
      now_ = make_(at_++);
    }
  }

 private:
  std::uint32_t count_;
  std::function<Program(std::uint32_t)> make_;
  std::uint32_t at_ = 0;
  Program now_;
};

class InRoles : public RankProgram {
 public:
  InRoles(Program program, std::function<Rank(Rank)> rank_of)
      : program_(std::move(program)), rank_of_(std::move(rank_of)) {}

  bool next(Action& action) override {
    if (!program_->next(action)) return false;
    action.peer = rank_of_(action.peer);
    return true;
  }

 private:
  Program program_;
  std::function<Rank(Rank)> rank_of_;
};

class Only : public RankProgram {
 public:
  Only(Program program, std::function<bool(const Action&)> keep)
      : program_(std::move(program)), keep_(std::move(keep)) {}

  bool next(Action& action) override {
    while (program_->next(action))
      if (keep_(action)) return true;
    return false;
  }

 private:
  Program program_;
  std::function<bool(const Action&)> keep_;
};

class Revised : public RankProgram {
 public:
  Revised(Program program, std::function<void(Action&)> revise)
      : program_(std::move(program)), revise_(std::move(revise)) {}

  bool next(Action& action) override {
    if (!program_->next(action)) return false;
    revise_(action);
    return true;
  }

 private:
  Program program_;
  std::function<void(Action&)> revise_;
};

class ScheduleOfPrograms : public Schedule {
 public:
  ScheduleOfPrograms(std::uint32_t ranks, std::uint32_t channels,
                     std::function<Program(Rank, std::uint32_t)> program)
      : ranks_(ranks), channels_(channels), program_(std::move(program)) {}
  std::uint32_t ranks() const override { return ranks_; }
  std::uint32_t channels() const override { return channels_; }
  Program program(Rank rank, std::uint32_t channel) const override { return program_(rank, channel); }

 private:
  std::uint32_t ranks_, channels_;
  std::function<Program(Rank, std::uint32_t)> program_;
};

class RingSchedule : public ScheduleOfPrograms {
 public:
  RingSchedule(std::uint32_t ranks, std::function<RingShape()> shape, std::function<Program(Rank)> program)
      : ScheduleOfPrograms(
            ranks, 1, [program = std::move(program)](Rank rank, std::uint32_t) { return program(rank); }),
        shape_(std::move(shape)) {}

  std::optional<RingShape> ring() const override { return shape_(); }

 private:
  std::function<RingShape()> shape_;
};

}  // namespace

Program ring_rounds(Rank rank, std::uint32_t ranks, std::uint32_t first_block, Action::Kind taking,
                    const Division& division) {
  return ring_rounds_of(rank, ranks, first_block, taking,
                        [division](std::uint32_t block) { return std::pair(division, block); });
}

Program ring_all_reduce(Rank rank, std::uint32_t ranks, const Division& chunks) {
  return one_after_another(ring_rounds(rank, ranks, rank, kReduce, chunks),
                           ring_rounds(rank, ranks, rank + 1, kReceive, chunks));
}

Program recursive_halving(Rank rank, std::uint32_t ranks, const Division& division) {
  return rounds(logarithm(ranks), [=](std::uint32_t t) {
    std::uint32_t distance = ranks >> (t + 1);
    Rank partner = rank ^ distance;
    return Round{half(kSend, partner, partner, distance, division),
                 half(kReduce, partner, rank, distance, division)};
  });
}

Program recursive_doubling(Rank rank, std::uint32_t ranks, const Division& division) {
  return rounds(logarithm(ranks), [=](std::uint32_t t) {
    std::uint32_t distance = 1U << t;
    Rank partner = rank ^ distance;
    return Round{half(kSend, partner, rank, distance, division),
                 half(kReceive, partner, partner, distance, division)};
  });
}

Fold::Fold(std::uint32_t ranks) : roles(std::bit_floor(ranks)), others(ranks - roles) {}

Program folded_all_reduce(Rank rank, const Fold& fold, const Division& blocks,
                          const std::function<Program(Rank)>& core) {
  std::uint32_t last = blocks.blocks() - 1, end = blocks.blocks();
  std::vector<Action> before, after;
  if (!fold.plays(rank)) {
    Rank player = rank - 1;
    before.push_back(blocks.action(kSend, player, 0, 1));
    if (last > 0)
      before.insert(before.end(),
                    {blocks.action(kReduce, player, last, end), blocks.action(kSend, player, last, end)});
    before.push_back(blocks.action(kReceive, player, 0, end));
    return steps(std::move(before));
  }
  if (fold.is_paired(rank)) {
    Rank other = rank + 1;
    if (last > 0) before.push_back(blocks.action(kSend, other, last, end));
    before.push_back(blocks.action(kReduce, other, 0, 1));
    if (last > 0) before.push_back(blocks.action(kReceive, other, last, end));
    after.push_back(blocks.action(kSend, other, 0, end));
  }
  auto among_roles = in_roles(core(fold.role(rank)), [fold](Rank role) { return fold.rank_of(role); });
  return one_after_another(steps(std::move(before)),
                           one_after_another(std::move(among_roles), steps(std::move(after))));
}

Program recursive_doubling_sum(Rank rank, const Fold& fold, const Division& whole) {
  return folded_all_reduce(rank, fold, whole, [&](Rank role) {
    return rounds(logarithm(fold.roles), [role, whole](std::uint32_t t) {
      Rank partner = role ^ (1U << t);
      return Round{whole.action(kSend, partner, 0, 1), whole.action(kReduce, partner, 0, 1)};
    });
  });
}

TreeNode binomial_tree_node(Rank rank, std::uint32_t ranks) {
  TreeNode node;
  std::uint32_t distance = 1;
  for (; distance < ranks && !(rank & distance); distance *= 2)
    if (rank + distance < ranks) node.children.push_back(rank + distance);
  if (rank > 0) node.parent = rank - distance;
  return node;
}

Program tree_reduce(const TreeNode& node, const Division& division, std::uint32_t block) {
  std::vector<Action> actions;
  for (Rank child : node.children) actions.push_back(division.action(kReduce, child, block, block + 1));
  if (node.parent) actions.push_back(division.action(kSend, *node.parent, block, block + 1));
  return steps(std::move(actions));
}

Program tree_broadcast(const TreeNode& node, const Division& division, std::uint32_t block) {
  std::vector<Action> actions;
  if (node.parent) actions.push_back(division.action(kReceive, *node.parent, block, block + 1));
  std::for_each(node.children.rbegin(), node.children.rend(),
                [&](Rank child) { actions.push_back(division.action(kSend, child, block, block + 1)); });
  return steps(std::move(actions));
}

Program steps(std::vector<Action> actions) { return std::make_unique<Steps>(std::move(actions)); }

Program one_after_another(Program first, Program second) {
  return std::make_unique<OneAfterAnother>(std::move(first), std::move(second));
}

Program repeated(std::uint32_t count, std::function<Program(std::uint32_t)> make) {
  return std::make_unique<Repeated>(count, std::move(make));
}

Program in_roles(Program program, std::function<Rank(Rank)> rank_of) {
  return std::make_unique<InRoles>(std::move(program), std::move(rank_of));
}

Program only(Program program, std::function<bool(const Action&)> keep) {
  return std::make_unique<Only>(std::move(program), std::move(keep));
}

Program revised(Program program, std::function<void(Action&)> revise) {
  return std::make_unique<Revised>(std::move(program), std::move(revise));
}

Program pipelined_chain(Rank rank, std::uint32_t ranks, Rank root, const Division& segments) {
  return from_root(rank, ranks, root, [&](Rank place) {
    TreeNode node;
    if (place > 0) node.parent = place - 1;
    if (place + 1 < ranks) node.children = {place + 1};
    return repeated(segments.blocks(),
                    [=](std::uint32_t segment) { return tree_broadcast(node, segments, segment); });
  });
}

Program from_root(Rank rank, std::uint32_t ranks, Rank root, const std::function<Program(Rank)>& role) {
  return in_roles(role((rank + ranks - root) % ranks),
                  [ranks, root](Rank place) { return (place + root) % ranks; });
}

std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks, std::function<Program(Rank)> program) {
  return make_schedule(ranks, 1,
                       [program = std::move(program)](Rank rank, std::uint32_t) { return program(rank); });
}

std::unique_ptr<Schedule> in_sequence(std::shared_ptr<const Schedule> first,
                                      std::shared_ptr<const Schedule> second) {
  std::uint32_t ranks = second->ranks(), channels = second->channels();
  auto program = [first = std::move(first), second = std::move(second)](Rank rank, std::uint32_t channel) {
    if (channel >= first->channels() || rank >= first->ranks()) return second->program(rank, channel);
    return one_after_another(first->program(rank, channel), second->program(rank, channel));
  };
  return make_schedule(ranks, channels, program);
}

std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks, std::uint32_t channels,
                                        std::function<Program(Rank, std::uint32_t)> program) {
  return std::make_unique<ScheduleOfPrograms>(ranks, channels, std::move(program));
}

std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::uint32_t rounds,
                                             std::uint32_t summed_rounds, const Division& division,
                                             std::function<Program(Rank)> program) {
  auto shape = [=] {
    RingShape ring{rounds, {}, summed_rounds};
    for (std::uint32_t block = 0; block < ranks; ++block)
      ring.blocks.push_back(division.action(Action::Kind::send, 0, block, block + 1).bytes);
    return ring;
  };
  return make_ring_schedule(ranks, shape, std::move(program));
}

std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::function<RingShape()> shape,
                                             std::function<Program(Rank)> program) {
  return std::make_unique<RingSchedule>(ranks, std::move(shape), std::move(program));
}

}  // namespace traincast
