// Synchronous SGD: every learner computes the gradient of its mini-batch at the same parameters, the
// scenario's compressor aggregates these, and all apply the same update, so that one copy of the parameters
// and of the optimizer's momentum stands for all learners'. Where these follow the dense trajectory, the
// method's aggregate is looked at, and their mean gradient applied: the open loop.
#include "simulator/training/batch_growth.hpp"
#include "simulator/training/model_method.hpp"
#include "simulator/training/optimizer_state.hpp"
#include "simulator/training/training_algorithms.hpp"

namespace traincast {

namespace {

class SyncSgd : public TrainingAlgorithm {
 public:
  SyncSgd(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads)
      : dense_(scenario.training->parameters.word("follow") == "dense"),
        method_(scenario, layers, threads),
        batches_(scenario),
        gives_mean_(scenario.compressor.entry->name == "none"),
        optimizer_(scenario.training->optimizer, parameters_of(layers)),
        average_(parameters_of(layers)) {}

  std::size_t vectors(std::uint32_t learners) const override { return 1 + learners; }

  void begin(World& world) override {
    parameters_ = world.vector(0);
    world.initial(parameters_);
  }

  TrainedStep step(World& world, const Step& step) override {
    const BatchGrowth::Batches batches = batches_.take();
    std::vector<Pass> passes;
    std::vector<std::span<const float>> gradients;
    for (LearnerId i = 0; i < world.learners(); ++i) {
      passes.push_back({i, batches.first, parameters_, world.vector(1 + i), batches.count});
      gradients.push_back(passes.back().into);
    }
    std::vector<double> losses = world.gradients(passes);
    require_finite(losses, passes, world.layers());
    TrainedStep result{mean_of(losses), method_.aggregate(step, gradients, average_), world.learners()};
    if (dense_) take_mean(gradients);
    result.record.batches = batches.count;
    const bool tested = batches_.is_due();
    if (tested) batches_.test(gradients);
    batches_.charge(result.record, buckets(), tested, gives_mean_);
    optimizer_.apply(average_, step.learning_rate, parameters_);
    return result;
  }

  std::span<const float> parameters() const override { return parameters_; }
  Similarity similarity() const override { return method_.similarity(); }
  const std::vector<Bucket>& buckets() const override { return method_.buckets(); }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(parameters_));
    optimizer_.save(writer);
    batches_.save(writer);
    method_.save(writer);
  }

  void load(Reader& reader) override {
    load_into(parameters_, reader);
    optimizer_.load(reader);
    batches_.load(reader);
    method_.load(reader);
  }

 private:
  void take_mean(std::span<const std::span<const float>> gradients) {
    for (std::size_t e = 0; e < average_.size(); ++e) {
      double sum = 0;
      for (std::span<const float> gradient : gradients) sum += static_cast<double>(gradient[e]);
      average_[e] = static_cast<float>(sum / static_cast<double>(gradients.size()));
    }
  }

  bool dense_;
  ModelMethod method_;
  BatchGrowth batches_;
  bool gives_mean_;
  OptimizerState optimizer_;
  std::vector<float> average_;
  std::span<float> parameters_;
};

}  // namespace

std::unique_ptr<TrainingAlgorithm> make_sync_sgd(const Scenario& scenario, std::span<const TensorInfo> layers,
                                                 unsigned threads) {
  return std::make_unique<SyncSgd>(scenario, layers, threads);
}

}  // namespace traincast
