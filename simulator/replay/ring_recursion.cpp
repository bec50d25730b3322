#include "simulator/replay/ring_recursion.hpp"

#include <algorithm>
#include <cstddef>

namespace traincast {

namespace {

// One round: a rank's transfer starts when what it forwards is there (the arrival at the rank before it, of
// the round before) and its own last transfer has arrived, which is also when the receiver has come to wait
// for it. Places 1 … N are ranks 0 … N−1; place 0 is rank N−1 again. Kept apart so that it is compiled for
// vectors.
void ring_round(std::size_t ranks, const double* __restrict before, double* __restrict after,
                const double* __restrict latency, const double* __restrict seconds_per_byte,
                const double* __restrict size) {
  for (std::size_t r = 0; r < ranks; ++r) {
    double start = before[r] > before[r + 1] ? before[r] : before[r + 1];
    after[r + 1] = start + (latency[r] + size[r] * seconds_per_byte[r]);
  }
  after[0] = after[ranks];
}

}  // namespace

std::vector<double> ring_recursion(const RingShape& shape, const RingHops& hops,
                                   std::span<const double> enter) {
  std::size_t ranks = enter.size();
  std::vector<double> before(ranks + 1), after(ranks + 1), finish(enter.begin(), enter.end());
  if (shape.rounds == 0) return finish;
  // Twice in a row, so that the blocks (r − t) mod N of all ranks are consecutive in every round.
  std::vector<double> sizes(shape.blocks.begin(), shape.blocks.end());
  sizes.insert(sizes.end(), shape.blocks.begin(), shape.blocks.end());

  // In the first round a transfer waits for its sender and its receiver to enter.
  for (std::size_t r = 0; r < ranks; ++r)
    after[r + 1] =
        std::max(enter[r], enter[(r + 1) % ranks]) + (hops.latency[r] + sizes[r] * hops.seconds_per_byte[r]);
  after[0] = after[ranks];
  for (std::uint32_t round = 1; round < shape.rounds; ++round) {
    std::swap(before, after);
    ring_round(ranks, before.data(), after.data(), hops.latency.data(), hops.seconds_per_byte.data(),
               sizes.data() + (ranks - round % ranks) % ranks);
  }
  for (std::size_t r = 0; r < ranks; ++r) finish[r] = std::max(after[r], after[r + 1]);
  return finish;
}

std::vector<Bytes> ring_sent_bytes(const RingShape& shape) {
  std::size_t ranks = shape.blocks.size();
  Bytes all = 0;
  for (Bytes block : shape.blocks) all += block;
  // Whole turns carry every block; rank r's last rounds carry blocks (r − t) mod N for t below the rest.
  std::size_t turns = shape.rounds / ranks, rest = shape.rounds % ranks;
  Bytes window = 0;
  for (std::size_t t = 0; t < rest; ++t) window += shape.blocks[(ranks - t) % ranks];
  std::vector<Bytes> sent(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    sent[r] = turns * all + window;
    if (rest > 0) window += shape.blocks[(r + 1) % ranks] - shape.blocks[(r + 1 + ranks - rest) % ranks];
  }
  return sent;
}

}  // namespace traincast
