// The tables of a run with training in the loop, and its sentences about runs that diverged.
#include <algorithm>
#include <cstdio>
#include <set>

#include "analysis/report.hpp"
#include "analysis/text_table.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::string per_cent(const OverSeeds& over) {
  if (over.seeds == 0) return "-";
  char text[48];
  if (over.seeds == 1)
    std::snprintf(text, sizeof text, "%.1f", 100 * over.mean);
  else
    std::snprintf(text, sizeof text, "%.1f +- %.1f", 100 * over.mean, 100 * over.deviation);
  return text;
}

std::string loss_of(const OverSeeds& over) {
  if (over.seeds == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", over.mean);
  return text;
}

std::string one_digit(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

/// Of a layer by epoch, means over the runs that did not diverge.
std::vector<double> effective_rank(const TrainingResult& result, std::size_t layer) {
  std::vector<std::vector<double>> by_epoch;
  for (const SeedCurve& curve : result.curves) {
    if (curve.divergence) continue;
    const std::vector<double>& ranks = curve.layers[layer].effective_rank;
    by_epoch.resize(std::max(by_epoch.size(), ranks.size()));
    for (std::size_t e = 0; e < ranks.size(); ++e) by_epoch[e].push_back(ranks[e]);
  }
  std::vector<double> means;
  for (const std::vector<double>& ranks : by_epoch) means.push_back(over_seeds(ranks).mean);
  return means;
}

// Whatever the network, so once for each way of training.
std::string rank_table(const std::vector<PointReport>& points) {
  std::vector<std::vector<std::string>> rows;
  std::set<std::pair<std::string, std::string>> told;
  for (const PointReport& point : points) {
    if (!point.training) continue;
    Json apart = point.coordinates;
    std::erase_if(apart.members(), [](const Json::Member& coordinate) {
      return coordinate.first.starts_with("/platform") || coordinate.first.starts_with("/stack");
    });
    if (!told.insert({point.label, apart.dump(-1)}).second) continue;
    const std::vector<LearningLayer>& layers = point.training->curves.front().layers;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::vector<double> ranks = effective_rank(*point.training, l);
      if (ranks.empty()) continue;
      auto least = std::ranges::min_element(ranks);
      rows.push_back({std::to_string(point.learners), point.label, layers[l].name, one_digit(ranks.front()),
                      one_digit(*least), std::to_string(least - ranks.begin() + 1), one_digit(ranks.back()),
                      std::to_string(ranks.size())});
    }
  }
  if (rows.empty()) return "";
  return "effective rank of each layer's product: in the first epoch, in that where it is least, and in the "
         "last\n(means over learners, steps and seeds)\n" +
         render_table(
             {{"N"}, {"method", true}, {"layer", true}, {"first"}, {"least"}, {"epoch"}, {"last"}, {"epoch"}},
             rows) +
         "\n";
}

}  // namespace

std::string training_table(const std::vector<PointReport>& points) {
  std::string all;
  for (std::size_t i = 0; i < points.size();) {
    if (!points[i].training) {
      ++i;
      continue;
    }
    const PointReport& head = points[i];
    std::vector<Column> columns{{"N"}, {"method", true}, {"accuracy %"}, {"loss"}};
    for (double target : head.training->targets) {
      char text[32];
      std::snprintf(text, sizeof text, "%g %%", 100 * target);
      columns.push_back({std::string("runs at ") + text});
      columns.push_back({"time"});
      columns.push_back({"bytes"});
    }
    std::vector<std::vector<std::string>> rows;
    for (; i < points.size() && points[i].training && points[i].place == head.place; ++i) {
      const TrainingResult& result = *points[i].training;
      std::vector<std::string> row{std::to_string(points[i].learners), points[i].label,
                                   per_cent(result.accuracy()), loss_of(result.loss())};
      for (double target : result.targets) {
        OverSeeds seconds = result.to_reach(target, &LearningPoint::seconds);
        row.push_back(std::to_string(seconds.seeds) + " of " + std::to_string(result.curves.size()));
        row.push_back(seconds.seeds > 0 ? format_seconds(seconds.mean) : "-");
        row.push_back(seconds.seeds > 0 ? format_bytes(result.to_reach(target, &LearningPoint::bytes).mean)
                                        : "-");
      }
      rows.push_back(std::move(row));
    }
    all += head.place +
           ": accuracy on held-out samples at the end, and the simulated time and the bytes a "
           "learner\nsends until it is first reached (means over seeds)\n" +
           render_table(columns, rows) + "\n";
  }
  return all + rank_table(points);
}

std::vector<std::string> diverged_runs(const std::vector<PointReport>& points) {
  std::vector<std::string> sentences;
  for (const PointReport& point : points) {
    if (!point.training) continue;
    for (const SeedCurve& curve : point.training->curves)
      if (curve.divergence) {
        std::string sentence = point.label + " at " + std::to_string(point.learners) + " learners, seed " +
                               std::to_string(curve.seed) + ": diverged at step " +
                               std::to_string(curve.divergence->step) + ": " + curve.divergence->cause;
        if (sentences.empty() || sentences.back() != sentence) sentences.push_back(sentence);
      }
  }
  return sentences;
}

std::vector<std::string> unaveraged_runs(const std::vector<PointReport>& points) {
  std::vector<std::string> sentences;
  for (const PointReport& point : points) {
    if (!point.training) continue;
    for (const SeedCurve& curve : point.training->curves) {
      const LearningPoint& end = curve.points.back();
      if (curve.divergence || end.model_steps == end.steps) continue;
      std::string sentence = point.label + " at " + std::to_string(point.learners) + " learners: ";
      if (end.model_steps == 0)
        sentence += "models are averaged after none of " + std::to_string(end.steps) +
                    " steps, so accuracy is that of the initial model";
      else
        sentence += "models are averaged after step " + std::to_string(end.model_steps) + " of " +
                    std::to_string(end.steps) + " for the last time, and accuracy is that of this average";
      if (std::ranges::find(sentences, sentence) == sentences.end()) sentences.push_back(std::move(sentence));
    }
  }
  return sentences;
}

std::vector<std::string> dearer_layers(const std::vector<PointReport>& points) {
  std::vector<std::string> sentences;
  for (const PointReport& point : points) {
    if (!point.training) continue;
    std::string layers;
    double bytes = 0, gradients = 0;
    for (const LearningLayer& layer : point.training->curves.front().layers) {
      if (layer.bytes <= layer.gradient_bytes) continue;
      layers += (layers.empty() ? "" : ", ") + layer.name;
      bytes += layer.bytes;
      gradients += layer.gradient_bytes;
    }
    if (layers.empty()) continue;
    std::string sentence = point.label + " at " + std::to_string(point.learners) +
                           " learners: what a learner sends in a step is longer than the gradient for " +
                           layers + " (" + format_bytes(bytes) + " in place of " + format_bytes(gradients) +
                           ")";
    if (std::ranges::find(sentences, sentence) == sentences.end()) sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace traincast
