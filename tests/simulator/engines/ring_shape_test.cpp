// A schedule that calls itself a ring is one, action by action.
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

void expect_ring(const Schedule& schedule, const RingShape& shape) {
  std::uint32_t n = schedule.ranks();
  ASSERT_EQ(shape.blocks.size(), n);
  for (Rank rank = 0; rank < n; ++rank) {
    auto program = schedule.program(rank);
    Action action;
    for (std::uint32_t round = 0; round < shape.rounds; ++round) {
      ASSERT_TRUE(program->next(action));
      EXPECT_EQ(action.kind, Action::Kind::send);
      EXPECT_EQ(action.peer, (rank + 1) % n);
      EXPECT_EQ(action.bytes, shape.blocks[(rank + 2 * n - round % n) % n]) << rank << ' ' << round;
      ASSERT_TRUE(program->next(action));
      EXPECT_NE(action.kind, Action::Kind::send);
      EXPECT_EQ(action.peer, (rank + n - 1) % n);
      EXPECT_EQ(action.bytes, shape.blocks[(rank + 2 * n - 1 - round % n) % n]) << rank << ' ' << round;
    }
    EXPECT_FALSE(program->next(action));
  }
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
        if (word == Word::sparse_all_reduce)
          collective.supports =
              std::make_shared<const std::vector<std::vector<Index>>>(n, std::vector<Index>{0, n, 102});
        if (word == Word::push_pull || word == Word::neighbours) collective.bytes.assign(n, 5);
        if (!entry.make.refuses(collective).empty()) continue;
        auto schedule = entry.make.schedule(collective);
        auto shape = schedule->ring();
        if (!shape) continue;
        SCOPED_TRACE(std::string(entry.name) + " among " + std::to_string(n));
        expect_ring(*schedule, *shape);
        ++rings;
      }
  EXPECT_GE(rings, 2 * 17U);
}

}  // namespace
}  // namespace traincast
