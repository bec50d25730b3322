// Small training runs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "simulator/training/training_run.hpp"
#include "workloads/workload.hpp"

namespace traincast {

inline const std::string kCaptureProgram = TRAINCAST_BINARY_DIR "/bin/traincast-capture";

inline Json training_scenario(const std::string& members = "") {
  Json document = Json::parse(R"({
    "name": "test", "learners": 3, "steps": 6, "accelerator": "v100",
    "workload": {"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 12, "learning_rate": 0.02},
    "training": {"name": "sync_sgd", "evaluation_samples": 40, "evaluate_every": 2},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})",
                              "test");
  Json extra = Json::parse("{" + members + "}", "members");
  for (const auto& [key, value] : extra.members()) document[key] = value;
  return document;
}

inline Plan training_plan(const std::string& members = "") {
  return make_plan(training_scenario(members), "test.json", {});
}

/// Learners that need no program. Each mini-batch has a place of its own, around one that all share, and the
/// loss is half the squared distance from it, per parameter of unequal curvature; of several at once the
/// means.
class Valleys : public World {
 public:
  explicit Valleys(WorldOptions options)
      : options_(std::move(options)),
        vectors_(options_.vectors, std::vector<float>(parameters_of(options_.layers))) {}

  std::uint32_t learners() const override { return options_.learners; }
  std::span<const TensorInfo> layers() const override { return options_.layers; }
  std::span<float> vector(std::size_t i) override { return vectors_.at(i); }
  void initial(std::span<float> into) override { fill(into, 0, 1000); }
  std::vector<double> gradients(std::span<const Pass> passes) override {
    std::vector<double> losses;
    std::vector<float> place(parameters_of(options_.layers));
    for (const Pass& pass : passes) {
      double loss = 0;
      for (std::uint32_t b = 0; b < pass.batches; ++b) {
        fill(place, 1 + pass.batch + b, pass.learner);
        for (std::size_t e = 0; e < place.size(); ++e) {
          float curvature = 1.0f / static_cast<float>(1 + e % 7), away = pass.at[e] - 0.3f * place[e];
          float before = b == 0 ? 0.0f : pass.into[e];
          pass.into[e] = before + curvature * away / static_cast<float>(pass.batches);
          loss +=
              0.5 * static_cast<double>(curvature) * static_cast<double>(away) * static_cast<double>(away);
        }
      }
      losses.push_back(loss / pass.batches);
    }
    return losses;
  }
  Evaluation evaluate(std::span<const float> at, std::uint64_t) override {
    double loss = 0;
    for (float value : at) loss += static_cast<double>(value) * static_cast<double>(value);
    loss /= static_cast<double>(at.size());
    return {loss, 1 / (1 + loss)};
  }

 private:
  void fill(std::span<float> into, std::uint64_t step, std::uint32_t learner) const {
    RandomStream random({.seed = options_.seed, .purpose = Purpose::data, .step = step, .learner = learner});
    for (float& value : into) value = static_cast<float>(2 * random.uniform() - 1);
  }
  WorldOptions options_;
  std::vector<std::vector<float>> vectors_;
};

/// Of the plan's first point, among the valleys.
struct QuickTraining {
  std::string members;
  unsigned threads = 1;
  std::filesystem::path checkpoint{};
  std::function<void(std::uint64_t)> progress{};

  TrainingRun run() const {
    Plan plan = training_plan(members);
    const Scenario& scenario = plan.points.front().scenario;
    TrainingPlace place;
    place.make_world = [](WorldOptions options) { return std::make_unique<Valleys>(std::move(options)); };
    place.threads = threads;
    place.checkpoint = checkpoint;
    place.progress = progress;
    return train(scenario, scenario.workload->entry->make(scenario.workload->parameters).layers, place);
  }
};

inline WorldOptions world_options(std::size_t vectors, unsigned threads = 1) {
  const std::string workload = R"({"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 12})";
  Json json = Json::parse(workload, "workload");
  JsonReader reader(json, "workload");
  const auto& entry = workload_catalog().find(reader);
  return {{kCaptureProgram, workload, "", entry.make(read_workload(reader)).layers, 3, 1, threads}, vectors};
}

}  // namespace traincast
