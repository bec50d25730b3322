#include "simulator/least_traffic.hpp"

#include <algorithm>
#include <numeric>

namespace traincast {

Bytes least_traffic(const Op& op, std::uint32_t learners) {
  const Bytes members = op.members.size(learners);
  if (members < 2) return 0;
  const Bytes groups = op.members.count(learners), others = members - 1;
  const Bytes all = std::accumulate(op.bytes.begin(), op.bytes.end(), Bytes{0});
  switch (op.word) {
    // Every addend but one must leave its learner, and every sum reach every learner but one (Patarasuk and
    // Yuan 2009, Bandwidth Optimal All-reduce Algorithms).
    case Word::all_reduce: return groups * 2 * others * op.count * size_of(op.element);
    case Word::reduce_scatter: return groups * others * op.count * size_of(op.element);
    case Word::all_gather: return others * all;
    case Word::broadcast: return groups * others * all;
    case Word::all_to_all: {
      if (op.bytes.size() == 1) return others * learners * all;
      Bytes own = 0;
      for (LearnerId i = 0; i < learners; ++i) own += op.bytes[i * members + op.members.rank_of(i)];
      return all - own;
    }
    // A server may stand beside a learner: of each place one learner's byte need not travel.
    case Word::push_pull:
      return all - *std::max_element(op.bytes.begin(), op.bytes.end()) + others * op.pulled;
    case Word::rounds: {
      Bytes sum = 0;
      for (const auto& round : op.rounds)
        for (const Transfer& transfer : round) sum += transfer.bytes;
      return sum;
    }
    case Word::sparse_all_reduce:
    case Word::neighbours: break;
  }
  return 0;
}

}  // namespace traincast
