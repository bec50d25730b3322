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

/// What the messages of a round cost, by their sender.
struct Costs {
  std::vector<double> load, after;  // bytes on a link; seconds beside those of the link
  std::vector<double> hop;          // of these, working on the message when it has arrived
};

// Costs of blocks, twice in a row, so that those of the blocks (r − t) mod N of all ranks are consecutive.
Costs costs_of_blocks(const RingShape& shape, const Transport& transport, bool summed) {
  Costs costs;
  for (int turn = 0; turn < 2; ++turn)
    for (Bytes block : shape.blocks) {
      costs.load.push_back(static_cast<double>(transport.load(block)));
      costs.hop.push_back(summed ? transport.hop_s(HopWork::sum, block) : 0);
      costs.after.push_back(transport.latency_s(block) + costs.hop.back());
    }
  return costs;
}

void set_costs_of_round(Costs& costs, const RingShape& shape, const Transport& transport,
                        std::uint32_t round) {
  std::size_t ranks = shape.blocks.size();
  for (auto* values : {&costs.load, &costs.after, &costs.hop}) values->resize(ranks);
  for (Rank rank = 0; rank < ranks; ++rank) {
    auto [bytes, work] = shape.sent(round, rank);
    costs.load[rank] = static_cast<double>(transport.load(bytes));
    costs.hop[rank] = transport.hop_s(work, bytes);
    costs.after[rank] = transport.latency_s(bytes) + costs.hop[rank];
  }
}

}  // namespace

std::vector<double> ring_recursion(const RingShape& shape, const RingHops& hops, const Transport& transport,
                                   std::span<const double> enter) {
  std::size_t ranks = enter.size();
  if (shape.rounds == 0) return {enter.begin(), enter.end()};
  Costs summing = costs_of_blocks(shape, transport, true), passing = costs_of_blocks(shape, transport, false),
        growing;

  // Before the first round a rank is ready, to send and to take, when it enters.
  std::vector<double> before(ranks + 1), ready(ranks + 1);
  std::copy(enter.begin(), enter.end(), ready.begin());
  ready[ranks] = ready[0];
  const double* hop = nullptr;  // of the last round, by sender
  for (std::uint32_t round = 0; round < shape.rounds; ++round) {
    std::swap(before, ready);
    bool summed = round < shape.summed_rounds, grows = summed && !shape.growing.empty();
    if (grows) set_costs_of_round(growing, shape, transport, round);
    const Costs& costs = grows ? growing : summed ? summing : passing;
    std::size_t first = grows ? 0 : (ranks - round % ranks) % ranks;
    ring_round(ranks, before.data(), ready.data(), hops.latency.data(), hops.seconds_per_byte.data(),
               costs.load.data() + first, costs.after.data() + first);
    hop = costs.hop.data() + first;
  }

  // A rank ends when it has taken its last message and its own last one has arrived, worked on or not.
  std::vector<double> finish(ranks);
  for (std::size_t r = 0; r < ranks; ++r) finish[r] = std::max(ready[r], ready[r + 1] - hop[r]);
  return finish;
}

std::vector<Bytes> ring_sent_bytes(const RingShape& shape) {
  std::size_t ranks = shape.blocks.size(), first = shape.growing.empty() ? 0 : shape.summed_rounds;
  Bytes all = 0;
  for (Bytes block : shape.blocks) all += block;
  // Whole turns carry every block; the other rounds of rank r carry blocks (r − first − t) mod N for t below
  // the rest.
  std::size_t turns = (shape.rounds - first) / ranks, rest = (shape.rounds - first) % ranks;
  std::size_t begin = (ranks - first % ranks) % ranks;
  Bytes window = 0;
  for (std::size_t t = 0; t < rest; ++t) window += shape.blocks[(begin + ranks - t) % ranks];
  std::vector<Bytes> sent(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    sent[r] = turns * all + window;
    if (rest > 0)
      window += shape.blocks[(begin + r + 1) % ranks] - shape.blocks[(begin + r + 1 + ranks - rest) % ranks];
  }
  for (std::size_t i = 0; i < shape.growing.size(); ++i) sent[i % ranks] += shape.growing[i];
  return sent;
}

}  // namespace traincast
