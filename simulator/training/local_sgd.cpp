// Local SGD: every learner takes steps of its own, and every `period` steps the models are averaged (Stich
// 2019, Local SGD converges fast and communicates little, Algorithm 1). What travels is each learner's
// difference from the model that all had after the last average, through the scenario's compressor and its
// error memory; the momenta stay where they are. Before `local_after_epochs` the models are averaged after
// every step: post-local SGD (Lin et al. 2020, Don't use large mini-batches, use local SGD, Algorithm 2).
// Between averages nobody has the models' mean, so what is evaluated is the last average.
// Mini-batches grow, where asked for, by the norm test of the last gradients before an average.
#include <algorithm>

#include "simulator/training/batch_growth.hpp"
#include "simulator/training/model_method.hpp"
#include "simulator/training/optimizer_state.hpp"
#include "simulator/training/training_algorithms.hpp"

namespace traincast {

namespace {

class LocalSgd : public TrainingAlgorithm {
 public:
  LocalSgd(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads)
      : learners_(scenario.learners),
        period_(static_cast<std::uint64_t>(scenario.training->parameters.count("period"))),
        local_after_(scenario.training->parameters.number("local_after_epochs")),
        method_(scenario, layers, threads),
        batches_(scenario),
        optimizers_(scenario.learners, OptimizerState(scenario.training->optimizer, parameters_of(layers))),
        average_(parameters_of(layers)) {}

  // Each learner's parameters, each one's gradient or difference, and the last average.
  std::size_t vectors(std::uint32_t learners) const override { return 2 * learners + 1; }

  void begin(World& world) override {
    for (LearnerId i = 0; i < learners_; ++i) {
      models_.push_back(world.vector(i));
      gradients_.push_back(world.vector(learners_ + i));
    }
    common_ = world.vector(2 * learners_);
    world.initial(common_);
    for (std::span<float> model : models_) std::ranges::copy(common_, model.begin());
  }

  TrainedStep step(World& world, const Step& step) override {
    const BatchGrowth::Batches batches = batches_.take();
    std::vector<Pass> passes;
    for (LearnerId i = 0; i < learners_; ++i)
      passes.push_back({i, batches.first, models_[i], gradients_[i], batches.count});
    std::vector<double> losses = world.gradients(passes);
    require_finite(losses, passes, world.layers());
    for (LearnerId i = 0; i < learners_; ++i)
      optimizers_[i].apply(gradients_[i], step.learning_rate, models_[i]);
    TrainedStep result{mean_of(losses), {}, 0};
    if (step.epoch < local_after_ || (step.index + 1) % period_ == 0) {
      const bool tested = batches_.is_due();
      if (tested) batches_.test(std::vector<std::span<const float>>(gradients_.begin(), gradients_.end()));
      result.record = average_models(step);
      batches_.charge(result.record, buckets(), tested, false);
      result.uploads = learners_;
      averaged_after_ = step.index + 1;
    } else {
      result.record.buckets.resize(method_.buckets().size());
      result.record.regime = regimes_.of(kLocal);
    }
    result.record.batches = batches.count;
    return result;
  }

  std::span<const float> parameters() const override { return common_; }
  std::uint64_t parameters_after(std::uint64_t) const override { return averaged_after_; }
  Similarity similarity() const override { return method_.similarity(); }
  const std::vector<Bucket>& buckets() const override { return method_.buckets(); }

  void save(Writer& writer) const override {
    for (std::span<const float> model : models_) writer.put_all(model);
    for (const OptimizerState& optimizer : optimizers_) optimizer.save(writer);
    writer.put_all(std::span<const float>(common_));
    writer.put(averaged_after_);
    batches_.save(writer);
    regimes_.save(writer);
    method_.save(writer);
  }

  void load(Reader& reader) override {
    for (std::span<float> model : models_) load_into(model, reader);
    for (OptimizerState& optimizer : optimizers_) optimizer.load(reader);
    load_into(common_, reader);
    averaged_after_ = reader.get<std::uint64_t>();
    batches_.load(reader);
    regimes_.load(reader);
    method_.load(reader);
  }

 private:
  static constexpr std::uint32_t kLocal = UINT32_MAX;

  StepRecord average_models(const Step& step) {
    std::vector<std::span<const float>> differences;
    for (LearnerId i = 0; i < learners_; ++i) {
      for (std::size_t e = 0; e < common_.size(); ++e) gradients_[i][e] = common_[e] - models_[i][e];
      differences.push_back(gradients_[i]);
    }
    Step of_models = step;
    of_models.learning_rate = 1;  // it is in the differences
    StepRecord record = method_.aggregate(of_models, differences, average_);
    for (std::size_t e = 0; e < common_.size(); ++e) common_[e] -= average_[e];
    for (std::span<float> model : models_) std::ranges::copy(common_, model.begin());
    record.regime = regimes_.of(record.regime);
    record.after_backward = true;
    for (std::size_t b = 0; b < record.buckets.size(); ++b) {
      std::vector<Phase>& phases = record.buckets[b].phases;
      if (phases.empty()) phases.emplace_back();
      const std::uint64_t n = method_.buckets()[b].numel();
      phases.front().work.push_back({Primitive::elementwise, {n}, 1, Stage::encode});
      phases.back().work.push_back({Primitive::elementwise, {n}, 1, Stage::decode});
    }
    return record;
  }

  std::uint32_t learners_;
  std::uint64_t period_;
  double local_after_;
  ModelMethod method_;
  BatchGrowth batches_;
  std::vector<OptimizerState> optimizers_;
  std::vector<std::span<float>> models_, gradients_;
  std::span<float> common_;
  std::uint64_t averaged_after_ = 0;
  std::vector<float> average_;
  RegimeNumbers regimes_;
};

}  // namespace

std::unique_ptr<TrainingAlgorithm> make_local_sgd(const Scenario& scenario,
                                                  std::span<const TensorInfo> layers, unsigned threads) {
  return std::make_unique<LocalSgd>(scenario, layers, threads);
}

}  // namespace traincast
