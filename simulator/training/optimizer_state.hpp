// What the learners do with the aggregated gradient, step after step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/serial.hpp"
#include "workloads/training_rule.hpp"

namespace traincast {

/// The rule, and what it remembers of the steps before.
class OptimizerState {
 public:
  OptimizerState(Optimizer rule, std::size_t parameters)
      : rule_(rule),
        momentum_(parameters, 0.0f),
        squares_(rule.kind == Optimizer::Kind::adam ? parameters : 0, 0.0f) {}
  void apply(std::span<const float> gradient, double learning_rate, std::span<float> parameters);
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  Optimizer rule_;
  std::vector<float> momentum_, squares_;
  std::uint64_t steps_ = 0;
};

}  // namespace traincast
