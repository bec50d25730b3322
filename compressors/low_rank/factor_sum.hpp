// Factors of all learners summed in flight: as floats, as bfloat16, or as 8-bit levels.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compressors/group.hpp"
#include "compressors/low_rank/factors.hpp"

namespace traincast {

enum class FactorCoding {
  fp32,
  bf16,
  int8,  ///< whole levels from −127 to 127 at the largest magnitude that any learner has in that matrix's
         ///< factor, summed in the narrowest integers that hold it
};

/// Collectives of one sum, in a phase each: 8-bit levels need the shared magnitudes first.
constexpr unsigned phases_of(FactorCoding coding) { return coding == FactorCoding::int8 ? 2 : 1; }

/// Of a sum of 8-bit levels over so many learners; throws InputError where none holds it.
Element integers_for(std::uint32_t learners);

/// Sums what `addend` writes. `sent(i, values)` is told what learner i's came to be on the wire; it may be
/// empty. Phases `first`, and the one behind it for levels.
void sum_factors(Group& group, unsigned first, FactorCoding coding, const Factors& factors, Side side,
                 std::span<float> sum, std::vector<Work> work,
                 const std::function<void(LearnerId, std::span<float>)>& addend,
                 const std::function<void(LearnerId, std::span<const float>)>& sent);

}  // namespace traincast
