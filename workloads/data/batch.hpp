// What a replica computes on: some samples with their labels.
#pragma once

#include <cstdint>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

struct Batch {
  std::uint64_t samples = 0;
  std::vector<float> features;        ///< samples × the shape of one; or
  std::vector<std::int64_t> numbers;  ///< likewise
  std::vector<std::int64_t> labels;   ///< samples × the labels of one
  std::uint64_t step = 0;             ///< with the learner: what dropout depends on
  LearnerId learner = 0;
};

}  // namespace traincast
