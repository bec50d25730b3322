#include "simulator/collectives/program_parts.hpp"

#include <bit>
#include <utility>

namespace traincast {

namespace {

class RingRounds : public RankProgram {
 public:
  RingRounds(Rank rank, std::uint32_t ranks, std::uint32_t first_block, Action::Kind taking,
             const Division& division)
      : rank_(rank), ranks_(ranks), block_(first_block % ranks), taking_(taking), division_(division) {}

  bool next(Action& action) override {
    if (round_ + 1 == ranks_) return false;
    if (!sent_) {
      action = division_.action(Action::Kind::send, (rank_ + 1) % ranks_, block_, block_ + 1);
    } else {
      block_ = (block_ + ranks_ - 1) % ranks_;
      action = division_.action(taking_, (rank_ + ranks_ - 1) % ranks_, block_, block_ + 1);
      ++round_;
    }
    sent_ = !sent_;
    return true;
  }

 private:
  Rank rank_;
  std::uint32_t ranks_, block_;
  Action::Kind taking_;
  Division division_;
  std::uint32_t round_ = 0;
  bool sent_ = false;
};

// At distance d, aligned groups of 2d ranks deal with the same 2d blocks: the halves of a group hold (or will
// hold) one half of the blocks each.
class HypercubeRounds : public RankProgram {
 public:
  HypercubeRounds(Rank rank, std::uint32_t ranks, bool halving, const Division& division)
      : rank_(rank),
        ranks_(ranks),
        distance_(halving ? ranks / 2 : 1),
        halving_(halving),
        division_(division) {}

  bool next(Action& action) override {
    if (distance_ == 0 || distance_ >= ranks_) return false;
    Rank partner = rank_ ^ distance_;
    if (!sent_) {
      action = half(Action::Kind::send, partner, halving_ ? partner : rank_);
    } else {
      action =
          half(halving_ ? Action::Kind::reduce : Action::Kind::receive, partner, halving_ ? rank_ : partner);
      distance_ = halving_ ? distance_ / 2 : distance_ * 2;
    }
    sent_ = !sent_;
    return true;
  }

 private:
  Action half(Action::Kind kind, Rank partner, Rank owner) const {
    std::uint32_t first = owner / distance_ * distance_;
    return division_.action(kind, partner, first, first + distance_);
  }

  Rank rank_;
  std::uint32_t ranks_, distance_;
  bool halving_;
  Division division_;
  bool sent_ = false;
};

class BinomialReduce : public RankProgram {
 public:
  BinomialReduce(Rank rank, std::uint32_t ranks, const Division& whole)
      : rank_(rank), ranks_(ranks), whole_(whole) {}

  bool next(Action& action) override {
    for (; !over_ && distance_ < ranks_; distance_ *= 2) {
      if (rank_ & distance_) {
        action = whole_.action(Action::Kind::send, rank_ - distance_, 0, 1);
        over_ = true;
        return true;
      }
      if (rank_ + distance_ < ranks_) {
        action = whole_.action(Action::Kind::reduce, rank_ + distance_, 0, 1);
        distance_ *= 2;
        return true;
      }
    }
    return false;
  }

 private:
  Rank rank_;
  std::uint32_t ranks_;
  Division whole_;
  std::uint32_t distance_ = 1;
  bool over_ = false;
};

class BinomialBroadcast : public RankProgram {
 public:
  BinomialBroadcast(Rank rank, std::uint32_t ranks, Rank root, const Division& whole)
      : place_((rank + ranks - root) % ranks),
        ranks_(ranks),
        root_(root),
        whole_(whole),
        received_(place_ == 0),
        // A place's lowest set bit is the distance to its parent; its children are nearer than that.
        distance_(place_ == 0 ? std::bit_ceil(ranks) : place_ & (~place_ + 1)) {}

  bool next(Action& action) override {
    if (!received_) {
      action = whole_.action(Action::Kind::receive, rank_at(place_ - distance_), 0, 1);
      received_ = true;
      return true;
    }
    while (distance_ > 1) {
      distance_ /= 2;
      if (place_ + distance_ >= ranks_) continue;
      action = whole_.action(Action::Kind::send, rank_at(place_ + distance_), 0, 1);
      return true;
    }
    return false;
  }

 private:
  Rank rank_at(std::uint32_t place) const { return (place + root_) % ranks_; }

  std::uint32_t place_;  // counted from the root
  std::uint32_t ranks_;
  Rank root_;
  Division whole_;
  bool received_;
  std::uint32_t distance_;
};

class OneAfterAnother : public RankProgram {
 public:
  OneAfterAnother(std::unique_ptr<RankProgram> first, std::unique_ptr<RankProgram> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  bool next(Action& action) override {
    if (first_ && first_->next(action)) return true;
    first_.reset();
    return second_->next(action);
  }

 private:
  std::unique_ptr<RankProgram> first_, second_;
};

class ScheduleOfPrograms : public Schedule {
 public:
  ScheduleOfPrograms(std::uint32_t ranks, std::function<std::unique_ptr<RankProgram>(Rank)> program)
      : ranks_(ranks), program_(std::move(program)) {}
  std::uint32_t ranks() const override { return ranks_; }
  std::unique_ptr<RankProgram> program(Rank rank) const override { return program_(rank); }

 private:
  std::uint32_t ranks_;
  std::function<std::unique_ptr<RankProgram>(Rank)> program_;
};

class RingSchedule : public ScheduleOfPrograms {
 public:
  RingSchedule(std::uint32_t ranks, std::uint32_t rounds, const Division& division,
               std::function<std::unique_ptr<RankProgram>(Rank)> program)
      : ScheduleOfPrograms(ranks, std::move(program)), rounds_(rounds), division_(division) {}

  std::optional<RingShape> ring() const override {
    RingShape shape{rounds_, {}};
    for (std::uint32_t block = 0; block < ranks(); ++block)
      shape.blocks.push_back(division_.action(Action::Kind::send, 0, block, block + 1).bytes);
    return shape;
  }

 private:
  std::uint32_t rounds_;
  Division division_;
};

}  // namespace

std::unique_ptr<RankProgram> ring_rounds(Rank rank, std::uint32_t ranks, std::uint32_t first_block,
                                         Action::Kind taking, const Division& division) {
  return std::make_unique<RingRounds>(rank, ranks, first_block, taking, division);
}

std::unique_ptr<RankProgram> recursive_halving(Rank rank, std::uint32_t ranks, const Division& division) {
  return std::make_unique<HypercubeRounds>(rank, ranks, true, division);
}

std::unique_ptr<RankProgram> recursive_doubling(Rank rank, std::uint32_t ranks, const Division& division) {
  return std::make_unique<HypercubeRounds>(rank, ranks, false, division);
}

std::unique_ptr<RankProgram> binomial_reduce(Rank rank, std::uint32_t ranks, const Division& whole) {
  return std::make_unique<BinomialReduce>(rank, ranks, whole);
}

std::unique_ptr<RankProgram> binomial_broadcast(Rank rank, std::uint32_t ranks, Rank root,
                                                const Division& whole) {
  return std::make_unique<BinomialBroadcast>(rank, ranks, root, whole);
}

std::unique_ptr<RankProgram> one_after_another(std::unique_ptr<RankProgram> first,
                                               std::unique_ptr<RankProgram> second) {
  return std::make_unique<OneAfterAnother>(std::move(first), std::move(second));
}

std::unique_ptr<Schedule> make_schedule(std::uint32_t ranks,
                                        std::function<std::unique_ptr<RankProgram>(Rank)> program) {
  return std::make_unique<ScheduleOfPrograms>(ranks, std::move(program));
}

std::unique_ptr<Schedule> make_ring_schedule(std::uint32_t ranks, std::uint32_t rounds,
                                             const Division& division,
                                             std::function<std::unique_ptr<RankProgram>(Rank)> program) {
  return std::make_unique<RingSchedule>(ranks, rounds, division, std::move(program));
}

std::uint32_t tree_rounds(std::uint32_t ranks) {
  return static_cast<std::uint32_t>(std::bit_width(ranks - 1));
}

std::string refuses_unless_power_of_two(const Collective& collective) {
  if (std::has_single_bit(collective.ranks)) return "";
  return "needs a number of ranks that is a power of two, got " + std::to_string(collective.ranks);
}

}  // namespace traincast
