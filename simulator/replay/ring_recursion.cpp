#include "simulator/replay/ring_recursion.hpp"

#include <algorithm>
#include <cstddef>

namespace traincast {

namespace {

// One round: a rank's transfer starts when what it forwards is there (taken at the rank in the round before)
// and the receiver waits for it, which it does no sooner than the rank's own last transfer has arrived.
// Places 0 … N−1 are ranks; place N is rank 0 again. `ready` is when a rank has taken its message of the
// round, and worked on it. Kept apart so that it is compiled for vectors.
void ring_round(std::size_t ranks, const double* __restrict before, double* __restrict ready,
                const double* __restrict latency, const double* __restrict seconds_per_byte,
                const double* __restrict load, const double* __restrict cost) {
  for (std::size_t r = 0; r < ranks; ++r) {
    double start = before[r] > before[r + 1] ? before[r] : before[r + 1];
    ready[r + 1] = start + (latency[r] + load[r] * seconds_per_byte[r]) + cost[r];
  }
  ready[0] = ready[ranks];
}

// Twice in a row, so that the blocks (r − t) mod N of all ranks are consecutive in every round.
std::vector<double> twice(std::vector<double> values) {
  std::size_t size = values.size();
  values.reserve(2 * size);
  for (std::size_t i = 0; i < size; ++i) values.push_back(values[i]);
  return values;
}

}  // namespace

std::vector<double> ring_recursion(const RingShape& shape, const RingHops& hops, const RingCosts& costs,
                                   std::span<const double> enter) {
  std::size_t ranks = enter.size();
  if (shape.rounds == 0) return {enter.begin(), enter.end()};
  std::vector<double> load = twice(costs.load), passing = twice(costs.latency), summing = passing;
  for (std::size_t i = 0; i < summing.size(); ++i) summing[i] += costs.hop[i % ranks];

  // Before the first round a rank is ready, to send and to take, when it enters.
  std::vector<double> before(ranks + 1), ready(ranks + 1);
  std::copy(enter.begin(), enter.end(), ready.begin());
  ready[ranks] = ready[0];
  auto play = [&](std::uint32_t round) {
    std::swap(before, ready);
    std::size_t first = (ranks - round % ranks) % ranks;
    const std::vector<double>& cost = round < shape.summed_rounds ? summing : passing;
    ring_round(ranks, before.data(), ready.data(), hops.latency.data(), hops.seconds_per_byte.data(),
               load.data() + first, cost.data() + first);
  };
  for (std::uint32_t round = 0; round < shape.rounds; ++round) play(round);

  // A rank ends when it has taken its last message and its own last one has arrived, worked on or not.
  std::vector<double> finish(ranks);
  std::uint32_t last = shape.rounds - 1;
  for (std::size_t r = 0; r < ranks; ++r) {
    std::size_t block = (r + ranks - last % ranks) % ranks;
    double arrived = ready[r + 1] - (last < shape.summed_rounds ? costs.hop[block] : 0);
    finish[r] = std::max(ready[r], arrived);
  }
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
