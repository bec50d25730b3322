// How parameters follow gradients: the optimizer, and its rate by step.
#pragma once

#include <cstdint>
#include <vector>

#include "base/catalog.hpp"

namespace traincast {

/// As PyTorch defines them. SGD: v ← μv + g, p ← p − ηv (with Nesterov's, g + μv in place of v). Adam
/// (Kingma, Ba 2015, algorithm 1): β₁ is the momentum. Weight decay is added to the gradient.
struct Optimizer {
  enum class Kind { sgd, adam } kind = Kind::sgd;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  double beta2 = 0.999, epsilon = 1e-8;  ///< Adam's
};

/// The learning rate by step, as a factor of the one given.
struct RateSchedule {
  enum class Kind { constant, steps, cosine, inverse_sqrt } kind = Kind::constant;
  std::uint64_t warmup = 0;      ///< steps over which the rate rises linearly
  std::vector<std::int64_t> at;  ///< steps: where the factor is applied
  double factor = 0.1;           ///< steps
  std::uint64_t length = 1;      ///< cosine: steps until zero

  double operator()(std::uint64_t step) const;
};

const Catalog<Optimizer::Kind>& optimizer_catalog();
const Catalog<RateSchedule::Kind>& schedule_catalog();
Optimizer read_optimizer(const JsonReader& at, double momentum);
RateSchedule read_schedule(const JsonReader& at);

}  // namespace traincast
