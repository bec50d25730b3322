#include "simulator/scenario/training_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"

namespace traincast {

namespace {

// Of every algorithm.
constexpr Parameter kCommon[] = {
    {"epochs", Unit::ratio, "[0, 1e6]", "0",
     "passes of every learner over its shard; 0: as many steps as the scenario says"},
    {"seeds", Unit::counts, "[0, inf)", "[]",
     "a run for each, of parameters, data, shards and draws; []: the scenario's seed alone"},
    {"evaluate_every", Unit::count, "[0, inf)", "0",
     "steps from one evaluation to the next; 0: an epoch's. The last step is always evaluated"},
    {"evaluation_samples", Unit::count, "[1, 1000000]", "1000", "held-out samples, which no learner sees"},
    {"targets", Unit::choices, "", "[]",
     "accuracies whose time and bytes are reported, as in [{\"accuracy\": 0.8}]"},
};

// Those of every algorithm, then its own.
template <std::size_t... Sizes>
constexpr auto with_common(const Parameter (&... own)[Sizes]) {
  std::array<Parameter, std::size(kCommon) + (Sizes + ...)> all{};
  auto at = std::ranges::copy(kCommon, all.begin()).out;
  ((at = std::ranges::copy(own, at).out), ...);
  return all;
}

constexpr Parameter kSync[] = {
    {"follow", Unit::word, "method|dense", "method",
     "what learners apply: what the method makes of their gradients; or these gradients' mean, so that the "
     "method is seen along the dense trajectory, as without training in the loop"},
};
constexpr Parameter kGrowth[] = {
    {"noise", Unit::ratio, "[0, 1000]", "0",
     "of the norm test: mini-batches grow while the learners' mean gradient deviates from the true one, as "
     "their "
     "differences tell, by more than so many times its norm; 0: they stay"},
    {"largest_batch", Unit::count, "[0, 1000000000]", "0",
     "samples that a grown mini-batch does not exceed; 0: samples_per_learner"},
    {"test_every", Unit::count, "[1, 1000000]", "1", "averagings from one norm test to the next"},
};
constexpr auto kSyncSgd = with_common(kSync, kGrowth);

constexpr Parameter kLocal[] = {
    {"period", Unit::count, "[1, 1000000]", "8",
     "steps from one averaging of the models to the next; 1: after every step. What is evaluated is the last "
     "average, before the first the initial model"},
    {"local_after_epochs", Unit::ratio, "[0, 1e6]", "0",
     "before which the models are averaged after every step (post-local SGD)"},
};
constexpr auto kLocalSgd = with_common(kLocal, kGrowth);

constexpr Parameter kUploads[] = {
    {"alpha", Unit::ratios, "[0, inf)", "0.5",
     "weight of each past move of the parameters, times the learning rate; a list has one for each of the "
     "window's, the latest first; 0: all upload whenever their gradient has changed at all"},
    {"window", Unit::count, "[1, 10000]", "10",
     "past moves that count (D), and the steps after which a learner uploads in any case"},
    {"rule", Unit::word, "lasg|lag", "lasg",
     "what a gradient is compared with: lasg, that of the same mini-batch where the learner last uploaded, "
     "a second pass; lag, the one that it uploaded from"},
};
constexpr auto kAdaptive = with_common(kUploads);

constexpr Parameter kReduction[] = {
    {"rank", Unit::count, "[1, 4096]", "10", "components of a layer's product that are sent at most"},
    {"iterations", Unit::count, "[1, 1000]", "5", "of the power method for each"},
    {"tolerance", Unit::ratio, "[0, 1)", "0.001",
     "where the spectrum counts as exhausted: corrected, by a component's share of the first; authors, by "
     "the "
     "distance of a vector from the one before"},
    {"variant", Unit::word, "corrected|authors", "corrected",
     "authors: as their code, which drops the last component and takes those before out as if they were "
     "exact"},
    {"reduced_by", Unit::word, "learners|server", "learners",
     "who reduces all learners' components to as many again: every learner, who gathers them; or a server, "
     "which sends back what is left and needs whole messages (\"collective\": {\"push_pull\": \"servers\"})"},
};
constexpr auto kReduced = with_common(kReduction);

constexpr Entry<TrainingKind> kAlgorithms[] = {
    {"sync_sgd",
     "synchronous SGD with momentum: all learners apply the gradient that the scenario's compressor "
     "aggregates",
     "Goyal et al. 2017 (Accurate, large minibatch SGD), sections 2 and 3; the norm test: Byrd et al. 2012 "
     "(Sample size selection in optimization methods for machine learning), section 3; recalled, not read",
     kSyncSgd, TrainingKind::sync_sgd},
    {"local_sgd",
     "learners take steps of their own; every few steps their models are averaged, their differences through "
     "the scenario's compressor",
     "Stich 2019 (Local SGD converges fast and communicates little), Algorithm 1; Lin et al. 2020 (Don't use "
     "large mini-batches, use local SGD), Algorithm 2; growing mini-batches: Lau et al. 2024 (arXiv "
     "2406.13936); "
     "recalled, not read",
     kLocalSgd, TrainingKind::local_sgd},
    {"sasg",
     "learners send to a server, by the scenario's gathered compressor and with memory, only when their "
     "gradient has changed enough; the server applies the last uploads of the others again",
     "Deng et al. (arXiv 2112.04088); the rule is recalled, not read", kAdaptive, TrainingKind::sasg},
    {"lasg", "the same without compression",
     "Chen, Sun, Yin 2020 (LASG, arXiv 2002.11360), rule WK2; Chen et al. 2018 (LAG, arXiv 1805.09965); "
     "recalled, "
     "not read",
     kAdaptive, TrainingKind::lasg},
    {"dad",
     "distributed auto-differentiation: learners gather the inputs and output deltas of each layer, whose "
     "product is the gradient of the pooled mini-batch",
     "Baker et al. (arXiv 2102.09631), dAD", kCommon, TrainingKind::dad},
    {"edad", "the same, with the last layer's deltas alone; the others are recomputed from what is gathered",
     "Baker et al. (arXiv 2102.09631), edAD", kCommon, TrainingKind::edad},
    {"rank_dad",
     "learners send a few components of each layer's product, found by structured power iterations, and all "
     "of them are reduced again. Tells each layer's effective rank",
     "Baker et al. (arXiv 2102.09631), rank-dAD", kReduced, TrainingKind::rank_dad},
};

// What the table cannot refuse.
void check_growth(const JsonReader& at, const LoopTraining& training, std::uint32_t learners) {
  const Parameters& p = training.parameters;
  if (p.number("noise") == 0) {
    for (const char* key : {"largest_batch", "test_every"})
      if (auto given = at.value().is_object() ? at.find(key) : std::nullopt;
          given && p.count(key) != (std::string_view(key) == "test_every"))
        given->refuse("goes with 'noise', without which mini-batches stay as they are");
    return;
  }
  if (learners < 2)
    at.at("noise").refuse("the norm test compares the gradients of two learners or more, and there is 1");
  if (p.count("largest_batch") > 0 && static_cast<std::uint64_t>(p.count("largest_batch")) < training.batch)
    at.at("largest_batch")
        .refuse("must be no smaller than the workload's batch, " + std::to_string(training.batch) + ", got " +
                at.at("largest_batch").shown());
  if (static_cast<std::uint64_t>(p.count("largest_batch")) > training.samples_per_learner)
    at.at("largest_batch")
        .refuse("must be no larger than the workload's samples_per_learner, " +
                std::to_string(training.samples_per_learner) + ", got " + at.at("largest_batch").shown());
}

// Thresholds are moves of the parameters over γ; and what is uploaded and remembered are updates, γ·g, so
// that a rate of 0 would not even let the parameters rest.
void refuse_rates_of_zero(const std::string& file, const LoopTraining& training) {
  for (std::uint64_t step = 0; step < training.steps; ++step)
    if (!(training.learning_rate_at(step) > 0))
      throw PlacedError(file, "/workload/schedule",
                        "is 0 from step " + std::to_string(step) + " of " + std::to_string(training.steps) +
                            " on, and '" + training.name +
                            "' divides moves of the parameters by the rate: it must stay above 0 to the last "
                            "step");
}

void check_weights(const JsonReader& at, const Parameters& p) {
  auto alpha = at.value().is_object() ? at.find("alpha") : std::nullopt;
  if (alpha && alpha->value().is_array() &&
      alpha->items().size() != static_cast<std::size_t>(p.count("window")))
    alpha->refuse("must be a number, or a weight for each of the window's " +
                  std::to_string(p.count("window")) + " moves, got " + std::to_string(alpha->items().size()));
}

std::vector<double> read_targets(const Parameters& parameters) {
  std::vector<double> targets;
  for (const JsonReader& target : parameters.choices("targets")) {
    const std::vector<std::string> known{"accuracy"};
    target.only(known);
    JsonReader accuracy = target.at("accuracy");
    double value = accuracy.number();
    if (!(value > 0 && value <= 1)) accuracy.refuse("must lie in (0, 1], got " + accuracy.shown());
    if (!targets.empty() && value <= targets.back())
      accuracy.refuse("targets rise from one to the next, got " + accuracy.shown());
    targets.push_back(value);
  }
  return targets;
}

}  // namespace

const Catalog<TrainingKind>& training_catalog() {
  static constexpr Catalog<TrainingKind> catalog("training", "training algorithm", kAlgorithms);
  return catalog;
}

std::optional<FactorForm> factors_of(TrainingKind kind) {
  switch (kind) {
    case TrainingKind::dad: return FactorForm::both;
    case TrainingKind::edad: return FactorForm::last_delta;
    case TrainingKind::rank_dad: return FactorForm::unfolded;
    default: return std::nullopt;
  }
}

std::span<const Parameter> algorithm_parameters(const Entry<TrainingKind>& entry) {
  return entry.parameters.subspan(std::size(kCommon));
}

LoopTraining read_loop_training(const JsonReader& at, const Parameters& workload, std::uint64_t steps,
                                std::uint64_t seed, std::uint32_t learners) {
  const Entry<TrainingKind>& entry = training_catalog().find(at);
  LoopTraining training;
  training.kind = entry.make;
  training.name = entry.name;
  training.parameters = read_parameters(at, entry.name, entry.parameters);
  const Parameters& p = training.parameters;
  training.learning_rate = workload.number("learning_rate");
  const Training rules = read_training(workload);
  training.optimizer = rules.optimizer;
  training.schedule = rules.schedule;
  training.batch = static_cast<std::uint64_t>(workload.count("batch"));
  training.samples_per_learner = static_cast<std::uint64_t>(workload.count("samples_per_learner"));
  training.targets = read_targets(p);
  if (entry.make == TrainingKind::sync_sgd || entry.make == TrainingKind::local_sgd)
    check_growth(at, training, learners);
  for (std::int64_t one : p.counts("seeds")) {
    auto value = static_cast<std::uint64_t>(one);
    if (std::ranges::find(training.seeds, value) != training.seeds.end())
      at.at("seeds").refuse("has " + std::to_string(value) + " twice");
    training.seeds.push_back(value);
  }
  if (training.seeds.empty()) training.seeds.push_back(seed);
  const bool server = entry.make == TrainingKind::sasg || entry.make == TrainingKind::lasg;
  const Optimizer& optimizer = training.optimizer;
  if (server && optimizer.kind != Optimizer::Kind::sgd)
    throw PlacedError(at.file(), "/workload/optimizer",
                      "the server of '" + training.name + "' applies uploads as they come: take \"sgd\"");
  if (server && (optimizer.momentum != 0 || optimizer.weight_decay != 0))
    throw PlacedError(at.file(), optimizer.momentum != 0 ? "/workload/momentum" : "/workload/optimizer",
                      "the server of '" + training.name +
                          "' applies uploads as they come, without momentum or weight decay: set it to 0");
  constexpr double kMost = 1e6;
  training.steps = steps;
  if (double epochs = p.number("epochs"); epochs > 0) {
    double all = std::ceil(epochs * static_cast<double>(training.steps_per_epoch()) - 1e-9);
    if (all > kMost) at.at("epochs").refuse("are more than a million steps, got " + at.at("epochs").shown());
    training.steps = static_cast<std::uint64_t>(all);
  }
  if (server) check_weights(at, p);
  if (server) refuse_rates_of_zero(at.file(), training);
  training.evaluate_every = static_cast<std::uint64_t>(p.count("evaluate_every"));
  if (training.evaluate_every == 0) training.evaluate_every = training.steps_per_epoch();
  return training;
}

}  // namespace traincast
