#include "simulator/training_report.hpp"

#include <cmath>
#include <numeric>

namespace traincast {

namespace {

SeedCurve curve_of(const Scenario& scenario, const TrainingRun& run, const std::vector<Timeline>& steps) {
  SeedCurve curve;
  curve.seed = run.seed;
  if (run.divergence) curve.divergence = {run.divergence->step, run.divergence->cause};
  for (const TrainedLayer& layer : run.layers)
    curve.layers.push_back({layer.name, layer.bytes, layer.gradient_bytes, layer.effective_rank});
  double seconds = 0, bytes = 0;
  std::uint64_t done = 0;
  for (const Evaluated& at : run.curve) {
    for (; done < at.step; ++done) {
      seconds += steps[done].step_s;
      std::span<const Bytes> sent = std::span(steps[done].sent_bytes).first(scenario.learners);
      bytes += static_cast<double>(std::accumulate(sent.begin(), sent.end(), Bytes{0})) / scenario.learners;
    }
    LearningPoint& point = curve.points.emplace_back();
    point.steps = at.step;
    point.model_steps = at.of_step;
    point.epoch = scenario.training->epoch(at.batches);
    point.batch = at.batch * scenario.training->batch;
    point.seconds = seconds;
    point.bytes = bytes;
    point.uploads = at.uploads;
    if (std::isfinite(at.learners_loss)) point.learners_loss = at.learners_loss;
    if (std::isfinite(at.similarity.memory_distance)) point.memory_distance = at.similarity.memory_distance;
    if (std::isfinite(at.similarity.selection_distance))
      point.selection_distance = at.similarity.selection_distance;
    point.loss = at.held_out.loss;
    point.accuracy = at.held_out.accuracy;
  }
  return curve;
}

}  // namespace

std::vector<Scenario> by_seed(const Scenario& scenario) {
  if (!scenario.training) return {scenario};
  std::vector<Scenario> all;
  for (std::uint64_t seed : scenario.training->seeds) all.push_back(with(scenario, "/seed", seed));
  return all;
}

TrainingResult training_result(Study& study, const std::vector<Study::Request>& runs) {
  const LoopTraining& training = *runs.front().scenario.training;
  TrainingResult result;
  result.algorithm = training.name;
  result.targets = training.targets;
  for (const Study::Request& run : runs)
    result.curves.push_back(curve_of(run.scenario, study.training(run.scenario), study.timelines(run)));
  return result;
}

}  // namespace traincast
