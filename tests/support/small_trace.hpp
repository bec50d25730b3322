// A trace for tests: gradients drawn from a seed, with a part that all learners share and a part of their
// own, so that their largest entries overlap in part, as those of real learners do.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "base/machine.hpp"
#include "base/random.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

inline std::vector<TensorInfo> small_layers() {
  return {{0, "fc0.weight", {48, 40}, "linear.weight"},
          {1, "fc0.bias", {48}, "bias"},
          {2, "fc1.weight", {10, 48}, "linear.weight"},
          {3, "fc1.bias", {10}, "bias"}};
}

/// Writes the trace into a folder that lasts as long as this process, and gives its path.
inline std::string write_small_trace(const std::string& name, std::uint32_t learners, std::size_t steps,
                                     std::string device = processor_name()) {
  static ScratchFolder scratch;
  std::string folder = scratch / name;
  Manifest manifest;
  manifest.model = "small";
  manifest.layers = small_layers();
  manifest.learners = learners;
  manifest.optimizer = Json::parse(R"({"name": "sgd", "learning_rate": 0.1})", "test");
  manifest.data =
      Json::parse(R"({"name": "drawn for a test", "batch": 8, "samples_per_learner": 64})", "test");
  manifest.versions = Json::parse(R"({"traincast": "test"})", "test");
  manifest.seed = 1;
  manifest.device = std::move(device);
  TraceWriter writer(folder, manifest);
  for (std::size_t step = 0; step < steps; ++step) {
    writer.begin_step(step);
    for (LearnerId learner = 0; learner < learners; ++learner)
      for (const TensorInfo& layer : manifest.layers) {
        RandomStream shared({1, Purpose::data, step, 1000000, layer.id});
        RandomStream own({1, Purpose::data, step, learner, layer.id});
        std::vector<float> gradient(layer.numel());
        for (float& g : gradient) {
          double common = shared.normal(), mine = own.normal();
          g = static_cast<float>(1e-2 * (common * common * common + mine));
        }
        writer.write(learner, layer.id, gradient);
      }
    writer.end_step();
  }
  writer.finish({1e-3, {2e-3, 1.9e-3, 1e-3, 0.5e-3}, 1e-4});
  return folder;
}

}  // namespace traincast
