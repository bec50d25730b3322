// Whom traincast-capture serves, and how it is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "base/linked_program.hpp"
#include "workloads/trace/trace.hpp"

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

/// What they say of their training, as a trace's manifest would; it has no steps yet.
Manifest describe(LinkedProgram& learners, const ServedLearners& served);

}  // namespace traincast
