// How alike the learners are while they train: what Chen et al. 2020 (ScaleCom, arXiv 2104.11125) watch in
// their figures 2 and 3. ScaleCom lets one learner choose for all, which is good as long as memories, and
// with them the choices, are alike.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

/// NAN: not defined.
struct Similarity {
  double memory_distance = NAN;     ///< mean over pairs of learners of 1 − cos(memories)
  double selection_distance = NAN;  ///< normalised Hamming distance of selections and true top-k
};

/// A part of a learner's vector, as long for every learner; good until the next call.
using PartOf = std::function<std::span<const float>(std::size_t part, LearnerId learner)>;

/// Mean over pairs of learners of 1 − cos(x_i, x_j), each x in several parts. Learners with x = 0 have no
/// direction and are left out; NAN where fewer than two are left.
double mean_cosine_distance(std::size_t parts, std::uint32_t learners, const PartOf& part_of);
/// By part, by learner.
inline double mean_cosine_distance(std::span<const std::vector<std::span<const float>>> parts) {
  return mean_cosine_distance(parts.size(),
                              parts.empty() ? 0 : static_cast<std::uint32_t>(parts.front().size()),
                              [&](std::size_t part, LearnerId learner) { return parts[part][learner]; });
}

/// Of k chosen places the share h/k that is not among those of the k largest magnitudes: two sets of k
/// places with a Hamming distance of 2h. With it ScaleCom's contraction is at most h/k + (1 − h/k)·γ, γ being
/// that of true top-k. Places as large as the k-th largest count as chosen rightly.
class SelectionDistance {
 public:
  /// Several choices, all from a vector whose largest are sought in `values`.
  void add(std::span<const std::vector<Index>> choices, std::span<const double> values);
  /// Over all that was added; NAN where nothing was chosen.
  double value() const;

 private:
  std::uint64_t chosen_ = 0, outside_ = 0;
};

}  // namespace traincast
