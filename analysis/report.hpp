// What a run found: the numbers of every point, with the meaning that the README gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/training_result.hpp"
#include "base/exchange.hpp"
#include "base/json.hpp"

namespace traincast {

/// Mean and population standard deviation over the steps of a point.
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const std::vector<double>& values);

struct BuildUp {
  Spread final_union;          ///< Σ|union of supports| / Σ mean |support|
  std::vector<double> by_hop;  ///< the same for learners 0 … h
  double independent = 0;      ///< of supports of these sizes that know nothing of each other
};

/// A tensor, and what one learner contributes for it in a step, in the mean; nothing where one message
/// carries several tensors.
struct LayerBytes {
  std::string name;
  std::uint64_t parameters = 0;
  std::optional<double> bytes;
};

/// The busiest link of a tier while collectives were in flight.
struct TierUse {
  std::string tier;
  double bytes_per_second = 0;  ///< the effective bandwidth
  double share = 0;             ///< of the link's own
};

/// A collective that the scenario gave an algorithm, where "auto" would have taken a quicker one.
struct SlowCollective {
  std::string word, algorithm, better;
  double seconds = 0, better_seconds = 0;  ///< a step's, by the closed forms with which "auto" chooses
};

struct PointReport {
  Json coordinates{Json::Object{}};
  std::string compressor;
  std::string label;      ///< the method with what tells it from the others, as in "topk density=0.01"
  std::string precision;  ///< of `none`; empty otherwise
  std::string place;      ///< platform, bandwidth and what else the axes set, in words
  std::string setting;    ///< the same without the bandwidth
  double bandwidth = 0;   ///< of the network between machines, bytes per second; 0: as a platform file has it
  std::uint32_t learners = 1;
  std::uint64_t parameters = 0, steps = 0, first_step = 0;
  bool overlap = true;
  std::string loop = "open";
  std::vector<std::pair<std::string, std::string>> collectives;  ///< word, algorithm
  std::vector<std::string> engines;  ///< what replayed its steps, and with them all collectives

  Spread step_seconds, compute_seconds, encode_seconds, decode_seconds, communication_seconds;
  Spread exposed_encode_seconds, exposed_communication_seconds, exposed_decode_seconds, wait_seconds,
      mean_wait_seconds, slowdown_seconds;

  std::optional<double> speedup, speedup_over_fp32, scaling_speedup, scaling_efficiency;
  std::string best_dense;  ///< label of the dense run that `speedup` compares with

  Spread bytes_sent_per_learner;
  double bytes_sent_per_learner_max = 0;
  double bytes_received_total = 0, bytes_sent_total = 0;   ///< all learners and steps
  std::vector<std::pair<std::string, double>> tier_bytes;  ///< mean over steps
  double bytes_on_links_total = 0;                         ///< all links and steps
  double least_bytes_total = 0;   ///< that the collectives need, whichever algorithm carries them
  std::vector<TierUse> tier_use;  ///< empty where nothing was in flight
  std::optional<double> payload_ratio, wire_ratio, traffic_ratio;
  std::vector<LayerBytes> layers;   ///< in the model's order; empty where no tensor's bytes are known
  std::uint64_t warm_up_steps = 0;  ///< which payload_ratio and wire_ratio leave out
  std::optional<double> warm_up_wire_ratio;
  std::optional<BuildUp> build_up;
  std::optional<Spread> relative_error, contraction;
  std::optional<double> memory_first, memory_last;  ///< ‖memory‖/‖gradient‖ after the first and the last step
  bool memory_of_mean = false;                      ///< of the mean memory and the mean gradient
  bool memory_grows = false;
  double busiest_link_seconds =
      0;                  ///< bytes of the busiest link over its bandwidth: a lower bound of communication
  bool stood_in = false;  ///< "auto" had to take the engine 'flow', for SimGrid would have taken too long
  std::vector<SlowCollective> slow_collectives;
  /// Where the loop is closed. All other numbers of the point are those of its first seed's steps.
  std::optional<TrainingResult> training;
};

/// Where a method beats the best dense run, by bandwidth of the network between machines.
struct BreakEven {
  Json coordinates{Json::Object{}};  ///< of its points, without bandwidth and learners
  std::string place, label;
  std::uint32_t learners = 1;
  double low = 0, high = 0;                     ///< bandwidths between which it was searched
  std::vector<std::pair<double, double>> wins;  ///< from, to; rising, apart
};

struct Check {
  std::string name;
  bool passed = true;
  double value = 0, bound = 0;
};

struct Report {
  Json traincast;  ///< version and provenance
  Json scenario;   ///< resolved
  std::vector<PointReport> points;
  std::vector<BreakEven> break_evens;
  std::vector<Check> checks;
  std::vector<std::string> warnings;
  std::vector<std::string> verdict;  ///< sentences: who wins, from where on, why
};

/// Holds what the report says against what must be true of it: time identity, bytes conserved, lower bounds
/// of bytes and times, no link above its bandwidth.
std::vector<Check> check_points(const std::vector<PointReport>& points);

/// Where the numbers should not be trusted, or the scenario not be taken for the best, in sentences.
std::vector<std::string> warn_about(const std::vector<PointReport>& points);

Json to_json(const Report& report);
std::string to_csv(const std::vector<PointReport>& points);
/// Fits 100 columns; one block per place on the axes other than learners and compressor.
std::string to_table(const Report& report);
/// Of the points with training in the loop: what they learned, and how soon; of products that were reduced
/// the effective rank.
std::string training_table(const std::vector<PointReport>& points);
/// A sentence for each run that could not go on.
std::vector<std::string> diverged_runs(const std::vector<PointReport>& points);
/// A sentence for each method whose last steps no average follows.
std::vector<std::string> unaveraged_runs(const std::vector<PointReport>& points);
/// A sentence for each method that, in place of the gradient of some layers, sends something longer.
std::vector<std::string> dearer_layers(const std::vector<PointReport>& points);
/// Broken at spaces, so that no line passes 100 columns where words allow; further lines are indented.
std::string wrapped(const std::string& sentence);
/// The sentences under the table.
std::vector<std::string> judge(const Report& report);

}  // namespace traincast
