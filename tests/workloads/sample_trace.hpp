// A small trace with values that say where they belong.
#pragma once

#include <string>
#include <vector>

#include "workloads/trace/trace.hpp"

namespace traincast {

inline Manifest sample_manifest(std::uint32_t learners) {
  Manifest m;
  m.model = "mlp";
  m.layers = {{0, "fc.weight", {2, 3}, "linear.weight"}, {1, "fc.bias", {2}, "bias"}};
  m.learners = learners;
  m.optimizer["name"] = "sgd";
  m.data["name"] = "made up";
  m.versions["traincast"] = "test";
  m.seed = 7;
  m.device = "none";
  return m;
}

inline std::vector<float> sample_gradient(std::uint64_t step, LearnerId learner, const TensorInfo& layer) {
  std::vector<float> values(layer.numel());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(1000 * step + 100 * learner + 10 * layer.id + i);
  return values;
}

inline Manifest write_sample(const std::string& folder, std::uint32_t learners,
                             const std::vector<std::uint64_t>& steps) {
  TraceWriter writer(folder, sample_manifest(learners));
  for (std::uint64_t step : steps) {
    writer.begin_step(step);
    for (LearnerId learner = 0; learner < learners; ++learner)
      for (const TensorInfo& layer : sample_manifest(learners).layers)
        writer.write(learner, layer.id, sample_gradient(step, learner, layer));
    writer.end_step();
  }
  return writer.finish({.forward_s = 0.5, .ready_s = {0.25, 0.125}, .optimizer_s = 0.0625});
}

}  // namespace traincast
