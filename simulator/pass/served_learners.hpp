// Whom traincast-capture serves, and how it is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

struct ServedLearners {
  std::string program;   ///< path of traincast-capture
  std::string workload;  ///< as JSON
  std::string folder{};  ///< that paths in it are relative to; empty: this one
  std::vector<TensorInfo> layers;
  std::uint32_t learners = 1;
  std::uint64_t seed = 1;
  unsigned threads = 1;

  std::vector<std::string> command_line() const;
};

}  // namespace traincast
