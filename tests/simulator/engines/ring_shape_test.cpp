// A schedule that calls itself a ring is one, action by action.
#include "simulator/replay/ring_recursion.hpp"
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

void expect_ring(const Schedule& schedule, const RingShape& shape) {
  std::uint32_t n = schedule.ranks();
  ASSERT_EQ(shape.blocks.size(), n);
  for (Rank rank = 0; rank < n; ++rank) {
    auto program = schedule.program(rank);
    Action action;
    Bytes sent = 0;
    for (std::uint32_t round = 0; round < shape.rounds; ++round) {
      ASSERT_TRUE(program->next(action));
      EXPECT_EQ(action.kind, Action::Kind::send);
      EXPECT_EQ(action.peer, (rank + 1) % n);
      EXPECT_EQ(action.bytes, shape.sent(round, rank).bytes) << rank << ' ' << round;
      sent += action.bytes;
      ASSERT_TRUE(program->next(action));
      EXPECT_EQ(action.kind, round < shape.summed_rounds ? Action::Kind::reduce : Action::Kind::receive);
      EXPECT_EQ(action.peer, (rank + n - 1) % n);
      EXPECT_EQ(action.bytes, shape.sent(round, (rank + n - 1) % n).bytes) << rank << ' ' << round;
      if (action.kind == Action::Kind::reduce) {
        EXPECT_EQ(action.work, shape.sent(round, (rank + n - 1) % n).work) << rank << ' ' << round;
      }
    }
    EXPECT_FALSE(program->next(action));
    EXPECT_EQ(ring_sent_bytes(shape)[rank], sent) << rank;
  }
}

// Places in common and of one's own; all of them at every fifth rank, so that messages go dense.
std::shared_ptr<const Supports> some_supports(std::uint32_t ranks) {
  Supports supports(ranks);
  for (Rank rank = 0; rank < ranks; ++rank)
    for (Index place = 0; place < 103; ++place)
      if (place % 20 == 0 || place % 17 == rank || rank % 5 == 4) supports[rank].push_back(place);
  return std::make_shared<const Supports>(std::move(supports));
}

TEST(RingShape, IsThatOfThePrograms) {
  std::size_t rings = 0;
  for (Word word : kWords)
    for (const auto& entry : collective_catalog(word).entries())
      for (std::uint32_t n = 1; n <= 17; ++n) {
        Collective collective{.word = word, .ranks = n, .count = 103};
        for (std::uint32_t r = 0; word == Word::all_gather && r < n; ++r)
          collective.bytes.push_back(11 * r % 5);
        if (word == Word::broadcast) collective.bytes = {5};
        if (word == Word::all_to_all) collective.bytes.assign(n * n, 5);
        if (word == Word::sparse_all_reduce) collective.supports = some_supports(n);
        if (word == Word::push_pull || word == Word::neighbours) collective.bytes.assign(n, 5);
        if (!entry.make.refuses(collective).empty()) continue;
        auto schedule = entry.make.schedule(collective);
        auto shape = schedule->ring();
        if (!shape) continue;
        SCOPED_TRACE(std::string(entry.name) + " among " + std::to_string(n));
        expect_ring(*schedule, *shape);
        ++rings;
      }
  EXPECT_GE(rings, 4 * 17U);  // all-reduce, two all-gathers, the sparse all-reduce
}

}  // namespace
}  // namespace traincast
