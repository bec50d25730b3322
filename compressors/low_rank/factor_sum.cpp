#include "compressors/low_rank/factor_sum.hpp"

#include <algorithm>
#include <cmath>

#include "base/bf16.hpp"
#include "compressors/integer_sum.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

using Addend = std::function<void(LearnerId, std::span<float>)>;
using OnSent = std::function<void(LearnerId, std::span<const float>)>;

constexpr float kMost = 127;

std::span<float> factor_of(const FactoredMatrix& m, Side side, std::span<float> all) {
  return all.subspan(m.factor(side), m.extent(side) * m.rank);
}

void sum_levels(Group& group, unsigned first, const Factors& factors, Side side, std::span<float> sum,
                std::vector<Work> work, const Addend& addend, const OnSent& sent) {
  const auto& matrices = factors.matrices();
  std::vector<float> scales(matrices.size());
  std::vector<std::vector<float>> exact(group.size());
  work.push_back({Primitive::reduction, {sum.size(), 0, 0}});
  group.phase(first);
  group.all_reduce_max(scales, work, [&](LearnerId learner, std::span<float> own) {
    exact[learner].assign(sum.size(), 0.0f);
    addend(learner, exact[learner]);
    for (std::size_t i = 0; i < matrices.size(); ++i) {
      auto factor = factor_of(matrices[i], side, exact[learner]);
      own[i] = kernels().largest_magnitude(factor.data(), factor.size());
    }
  });

  const Element element = integers_for(group.stands_for());
  group.phase(first + 1);
  group.all_reduce(element, sum, {{Primitive::bit_pack, {sum.size(), 8 * size_of(element), 0}}},
                   [&](LearnerId learner, std::span<float> levels) {
                     std::vector<float>& values = exact[learner];
                     for (std::size_t i = 0; i < matrices.size(); ++i) {
                       auto own = factor_of(matrices[i], side, values),
                            out = factor_of(matrices[i], side, levels);
                       for (std::size_t j = 0; j < own.size(); ++j) {
                         out[j] = scales[i] > 0 ? std::nearbyint(own[j] / scales[i] * kMost) : 0;
                         own[j] = out[j] / kMost * scales[i];
                       }
                     }
                     if (sent) sent(learner, values);
                   });
  for (std::size_t i = 0; i < matrices.size(); ++i)
    for (float& value : factor_of(matrices[i], side, sum)) value = value / kMost * scales[i];
}

}  // namespace

Element integers_for(std::uint32_t learners) {
  return narrowest_integers(static_cast<std::uint64_t>(kMost) * learners);
}

void sum_factors(Group& group, unsigned first, FactorCoding coding, const Factors& factors, Side side,
                 std::span<float> sum, std::vector<Work> work, const Addend& addend, const OnSent& sent) {
  if (coding == FactorCoding::int8)
    return sum_levels(group, first, factors, side, sum, std::move(work), addend, sent);
  const bool half = coding == FactorCoding::bf16;
  if (half) work.push_back({Primitive::elementwise, {sum.size(), 0, 0}});
  group.phase(first);
  group.all_reduce(half ? Element::bf16 : Element::fp32, sum, work,
                   [&](LearnerId learner, std::span<float> values) {
                     addend(learner, values);
                     if (half) std::transform(values.begin(), values.end(), values.begin(), round_to_bf16);
                     if (sent) sent(learner, values);
                   });
}

}  // namespace traincast
