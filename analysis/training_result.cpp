#include "analysis/training_result.hpp"

#include <algorithm>
#include <cmath>

namespace traincast {

namespace {

Json maybe(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void put(Json& json, const std::string& key, const OverSeeds& over) {
  json[key] = over.seeds > 0 ? Json(over.mean) : Json();
  json[key + "_std"] = over.seeds > 0 ? Json(over.deviation) : Json();
}

Json to_json(const SeedCurve& curve) {
  Json json;
  json["seed"] = curve.seed;
  json["divergence"] = Json();
  if (curve.divergence) {
    json["divergence"]["step"] = curve.divergence->step;
    json["divergence"]["cause"] = curve.divergence->cause;
  }
  for (const LearningPoint& point : curve.points) {
    Json one;
    one["steps"] = point.steps;
    one["model_steps"] = point.model_steps;
    one["epoch"] = point.epoch;
    one["batch"] = point.batch;
    one["seconds"] = point.seconds;
    one["bytes"] = point.bytes;
    one["uploads"] = point.uploads;
    one["learners_loss"] = point.learners_loss ? maybe(*point.learners_loss) : Json();
    one["loss"] = maybe(point.loss);
    one["accuracy"] = maybe(point.accuracy);
    one["memory_cosine_distance"] = point.memory_distance ? Json(*point.memory_distance) : Json();
    one["selection_hamming_distance"] = point.selection_distance ? Json(*point.selection_distance) : Json();
    json["curve"].push_back(std::move(one));
  }
  for (const LearningLayer& layer : curve.layers) {
    Json one;
    one["name"] = layer.name;
    one["bytes"] = layer.bytes;
    one["gradient_bytes"] = layer.gradient_bytes;
    one["dearer_than_gradient"] = layer.bytes > layer.gradient_bytes;
    if (!layer.effective_rank.empty()) one["effective_rank_by_epoch"] = Json::list(layer.effective_rank);
    json["layers"].push_back(std::move(one));
  }
  return json;
}

}  // namespace

const LearningPoint* SeedCurve::reached(double accuracy) const {
  if (divergence) return nullptr;
  for (const LearningPoint& point : points)
    if (point.accuracy >= accuracy) return &point;
  return nullptr;
}

OverSeeds over_seeds(const std::vector<double>& values) {
  OverSeeds over;
  over.seeds = values.size();
  if (values.empty()) return over;
  for (double value : values) over.mean += value;
  auto n = static_cast<double>(values.size());
  over.mean /= n;
  if (values.size() == 1) return over;
  double squares = 0;
  for (double value : values) squares += (value - over.mean) * (value - over.mean);
  over.deviation = std::sqrt(squares / (n - 1));
  over.standard_error = over.deviation / std::sqrt(n);
  return over;
}

namespace {

OverSeeds at_the_end(const TrainingResult& result, double LearningPoint::*what) {
  std::vector<double> values;
  for (const SeedCurve& curve : result.curves)
    if (!curve.divergence && !curve.points.empty()) values.push_back(curve.points.back().*what);
  return over_seeds(values);
}

}  // namespace

std::size_t TrainingResult::diverged() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(curves, [](const SeedCurve& curve) { return curve.divergence.has_value(); }));
}

OverSeeds TrainingResult::accuracy() const { return at_the_end(*this, &LearningPoint::accuracy); }
OverSeeds TrainingResult::loss() const { return at_the_end(*this, &LearningPoint::loss); }

OverSeeds TrainingResult::to_reach(double accuracy, double LearningPoint::*what) const {
  std::vector<double> values;
  for (const SeedCurve& curve : curves)
    if (const LearningPoint* point = curve.reached(accuracy)) values.push_back(point->*what);
  return over_seeds(values);
}

Json to_json(const TrainingResult& result) {
  Json json;
  json["algorithm"] = result.algorithm;
  OverSeeds accuracy = result.accuracy();
  json["seeds"] = result.curves.size();
  json["diverged"] = result.diverged();
  put(json, "final_accuracy", accuracy);
  json["final_accuracy_standard_error"] = accuracy.seeds > 1 ? Json(accuracy.standard_error) : Json();
  put(json, "final_loss", result.loss());
  json["targets"] = Json::Array{};
  for (double target : result.targets) {
    Json one;
    one["accuracy"] = target;
    one["reached"] = result.to_reach(target, &LearningPoint::seconds).seeds;
    put(one, "epochs", result.to_reach(target, &LearningPoint::epoch));
    put(one, "seconds", result.to_reach(target, &LearningPoint::seconds));
    put(one, "bytes", result.to_reach(target, &LearningPoint::bytes));
    json["targets"].push_back(std::move(one));
  }
  for (const SeedCurve& curve : result.curves) json["runs"].push_back(to_json(curve));
  return json;
}

}  // namespace traincast
