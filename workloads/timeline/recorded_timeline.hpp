// When the gradients of a model became ready on some device, recorded by somebody: a file of its own, from
// which a scenario takes its compute times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "base/json.hpp"
#include "workloads/timeline/timeline.hpp"

namespace traincast {

struct RecordedTimeline {
  struct Tensor {
    std::string name;  ///< empty where the record has none
    std::uint64_t numel = 0;
    double ready_s = 0;  ///< after the start of backward
  };
  std::string model, device, source;
  double forward_s = 0, optimizer_s = 0;
  std::vector<Tensor> tensors;  ///< in the order in which they became ready

  /// {format: 1, model, device, source, forward_s, optimizer_s, tensors: [{name, numel, ready_s}]}; tensors
  /// without names have no such key.
  Json to_json() const;
};

/// Throws InputError that names file and pointer.
RecordedTimeline read_recorded_timeline(const std::string& path);

/// The same for these layers, found by their names where the record has all of them, else by their sizes:
/// of equal ones, the last in the model's definition was the first to be ready. Throws InputError, with the
/// first tensor that fits none, where the two are not the same model.
ComputeTimeline timeline_of(const RecordedTimeline& recorded, const std::vector<TensorInfo>& layers);

/// The models of a table of backward passes, tab-separated with a line of heads: "model idx tensor numel
/// ready_gap_us" (microseconds since the tensor before was ready), or "model idx wait_us bytes" (the same,
/// without names, of fp32 gradients). Forward and optimizer are not in them and stay zero. Throws InputError
/// that names file and line.
std::vector<RecordedTimeline> read_tensor_traces(const std::string& path);

}  // namespace traincast
