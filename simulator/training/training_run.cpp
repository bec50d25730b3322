#include "simulator/training/training_run.hpp"

#include <chrono>
#include <cmath>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "base/sha256.hpp"
#include "simulator/pass/exchange_file.hpp"

namespace traincast {

namespace {

// State and exchange of a run in two files; the state is written last and says how much of the exchange
// belongs to it.
class Checkpoint {
 public:
  Checkpoint(const std::filesystem::path& folder, const Scenario& scenario) {
    if (folder.empty()) return;
    for (const char* name :
         {"workload", "training", "steps", "compressor", "error_feedback", "buckets", "learners", "seed"})
      key_[name] = scenario.resolved.at(name);
    std::string digest = sha256_hex(key_.dump(-1));
    path_ = (folder / digest.substr(0, 16)).string();
  }

  void save(const TrainingRun& run, double learners_loss, std::uint64_t uploads,
            const TrainingAlgorithm& algorithm) const {
    if (path_.empty()) return;
    RecordedExchange recorded;
    recorded.method = key_.dump(-1);
    recorded.seed = run.seed;
    recorded.record = run.exchange;
    write_exchange(path_ + ".exchange", recorded);
    Writer writer;
    writer.put_text(key_.dump(-1));
    writer.put<std::uint64_t>(run.exchange.steps.size());
    writer.put(learners_loss);
    writer.put(uploads);
    writer.put_all(std::span<const Evaluated>(run.curve));
    writer.put(run.divergence.has_value());
    if (run.divergence) {
      writer.put(run.divergence->step);
      writer.put_text(run.divergence->cause);
    }
    algorithm.save(writer);
    write_text_file(path_ + ".state", writer.bytes());
  }

  /// False where there is none.
  bool load(TrainingRun& run, double& learners_loss, std::uint64_t& uploads,
            TrainingAlgorithm& algorithm) const {
    if (path_.empty() || !std::filesystem::exists(path_ + ".state")) return false;
    const std::string state = path_ + ".state", text = read_text_file(state);
    try {
      read(text, run, learners_loss, uploads, algorithm);
    } catch (const InputError& error) {
      throw InputError(state + ": " + error.what() + "; without it and its .exchange the run begins anew");
    }
    return true;
  }

 private:
  void read(const std::string& text, TrainingRun& run, double& learners_loss, std::uint64_t& uploads,
            TrainingAlgorithm& algorithm) const {
    Reader reader(text);
    if (reader.get_text() != key_.dump(-1)) throw InputError("is of another run");
    auto steps = reader.get<std::uint64_t>();
    learners_loss = reader.get<double>();
    uploads = reader.get<std::uint64_t>();
    run.curve = reader.get_all<Evaluated>();
    if (reader.get<bool>()) {
      run.divergence.emplace().step = reader.get<std::uint64_t>();
      run.divergence->cause = reader.get_text();
    }
    algorithm.load(reader);
    run.exchange = read_exchange(path_ + ".exchange").record;
    if (run.exchange.steps.size() < steps) throw InputError("needs more steps than .exchange has");
    run.exchange.steps.resize(steps);
  }

  Json key_;
  std::string path_;  // without its ending; empty: none is kept
};

}  // namespace

TrainingRun train(const Scenario& scenario, const std::vector<TensorInfo>& layers,
                  const TrainingPlace& place) {
  const LoopTraining& training = *scenario.training;
  auto algorithm = make_training_algorithm(scenario, layers, place.threads);
  const std::unique_ptr<World> learners =
      place.make_world({{.program = place.program,
                         .workload = scenario.workload->parameters.resolved().dump(-1),
                         .folder = std::filesystem::path(scenario.file).parent_path().string(),
                         .layers = layers,
                         .learners = scenario.learners,
                         .seed = scenario.seed,
                         .threads = place.threads},
                        algorithm->vectors(scenario.learners),
                        algorithm->room(scenario.learners)});
  World& world = *learners;
  TrainingRun run;
  run.seed = scenario.seed;
  run.exchange.learners = scenario.learners;
  for (const TensorInfo& layer : layers) run.exchange.parameters += layer.numel();
  run.exchange.buckets = algorithm->buckets();
  algorithm->begin(world);
  const Checkpoint checkpoint(place.checkpoint, scenario);
  double learners_loss = 0;  // summed since the last evaluation
  std::uint64_t uploads = 0;
  const auto samples = static_cast<std::uint64_t>(training.parameters.count("evaluation_samples"));
  if (!checkpoint.load(run, learners_loss, uploads, *algorithm))
    run.curve.push_back({.learners_loss = NAN, .held_out = world.evaluate(algorithm->parameters(), samples)});

  // Mini-batches of the workload's size measure how far training has come, whether or not they are taken
  // singly.
  std::uint64_t taken = 0;
  for (const StepRecord& step : run.exchange.steps) taken += step.batches;
  auto saved = std::chrono::steady_clock::now();
  try {
    while (taken < training.steps && !run.divergence) {
      if (interrupted()) checkpoint.save(run, learners_loss, uploads, *algorithm);
      throw_if_interrupted();
      Step step;
      step.index = run.exchange.steps.size();
      step.epoch = training.epoch(taken);
      step.learning_rate = training.learning_rate_at(taken);
      TrainedStep done = algorithm->step(world, step);
      learners_loss += done.loss;
      uploads += done.uploads;
      const std::uint64_t before = taken, batch = done.record.batches, steps = step.index + 1;
      taken += batch;
      run.exchange.steps.push_back(std::move(done.record));
      if (place.progress) place.progress(taken);
      if (taken / training.evaluate_every == before / training.evaluate_every && taken < training.steps)
        continue;
      Evaluation held_out = world.evaluate(algorithm->parameters(), samples);
      auto since = static_cast<double>(steps - run.curve.back().step);
      Similarity similarity = algorithm->similarity();
      if (done.uploads == 0) similarity.selection_distance = NAN;  // which would be an earlier step's
      run.curve.push_back({steps, algorithm->parameters_after(steps), uploads, taken, batch,
                           learners_loss / since, held_out, similarity});
      learners_loss = 0;
      if (!std::isfinite(held_out.loss)) throw Diverged{"the loss on held-out samples is not finite"};
      const std::chrono::duration<double> since_saved = std::chrono::steady_clock::now() - saved;
      if (taken < training.steps && since_saved.count() < place.checkpoint_every_s) continue;
      checkpoint.save(run, learners_loss, uploads, *algorithm);
      saved = std::chrono::steady_clock::now();
    }
  } catch (const Diverged& diverged) {
    run.divergence = {run.exchange.steps.size(), diverged.cause};
    checkpoint.save(run, learners_loss, uploads, *algorithm);
  }
  if (run.exchange.steps.empty()) throw SimulationError("training could not begin: " + run.divergence->cause);
  run.layers = algorithm->layers();
  return run;
}

}  // namespace traincast
