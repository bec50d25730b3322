// How far the open loop, in which gradients follow the dense trajectory, is from training with the method.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "simulator/pass/compression_pass.hpp"

namespace traincast {

/// What a method does, by step; means over runs, NAN where it is defined for none of them.
struct LoopSeries {
  std::vector<double> build_up;     ///< |union of supports| / mean |support|
  std::vector<double> ratio;        ///< bytes of the gradient / encoded bytes that a learner contributes
  std::vector<double> contraction;  ///< ‖mean p − applied‖² / ‖mean p‖², p = gradient + memory
};

/// Of the steps that all runs did.
LoopSeries loop_series(std::span<const ExchangeRecord> runs);

/// Mean of [first, last); NAN where a value is.
double mean_of_steps(std::span<const double> values, std::size_t first, std::size_t last);

/// For how many steps the mean of every `window` steps in `open` is that in `closed`, up to `share` of the
/// latter: 0, or from `window` on; all of them where it always is.
std::size_t good_for(std::span<const double> open, std::span<const double> closed, std::size_t window,
                     double share);

}  // namespace traincast
