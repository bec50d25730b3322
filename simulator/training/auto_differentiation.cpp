// Distributed auto-differentiation (Baker et al., arXiv 2102.09631): synchronous SGD in which learners send,
// in place of the gradient of a layer's weights, what it is a product of: the layer's inputs A and the
// gradients Δ of its outputs. The layers go one by one, the last first, each as soon as backward has
// completed it. Gradients of parameters without factors (layer_factors.hpp says which) are summed as they
// are.
//
// The gradient is the mean of the learners' gradients, each of which is that of its own mini-batch's mean
// loss: the gradient of the pooled mini-batch, where all have as many labels.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "simulator/training/factor_exchange.hpp"
#include "simulator/training/optimizer_state.hpp"
#include "simulator/training/training_algorithms.hpp"

namespace traincast {

namespace {

class AutoDifferentiation : public TrainingAlgorithm {
 public:
  AutoDifferentiation(const Scenario& scenario, std::span<const TensorInfo> tensors, unsigned threads)
      : learners_(scenario.learners),
        tensors_(tensors.begin(), tensors.end()),
        layers_(layer_factors(scenario.workload->entry->make(scenario.workload->parameters),
                              *factors_of(scenario.training->kind))),
        exchange_(scenario.training->kind == TrainingKind::rank_dad
                      ? make_reduced_factors(scenario, tensors, layers_, threads)
                      : make_gathered_factors(scenario, tensors, layers_, threads)),
        optimizer_(scenario.training->optimizer, parameters_of(tensors)),
        row_(row_floats(factor_numbers(layers_, scenario.training->batch))),
        told_(layers_.size()) {
    std::uint64_t at = 0;
    for (const TensorInfo& tensor : tensors_) {
      first_.push_back(at);
      at += tensor.numel();
    }
    for (std::size_t l = layers_.size(); l-- > 0;) {
      Bucket bucket{static_cast<std::uint32_t>(buckets_.size()), {}};
      for (std::size_t i = layers_[l].parameters.size(); i-- > 0;)
        bucket.tensors.push_back(tensors_[layers_[l].parameters[i]]);
      buckets_.push_back(std::move(bucket));
    }
  }

  // The parameters, the mean gradient, and each learner's.
  std::size_t vectors(std::uint32_t learners) const override { return 2 + std::size_t{learners}; }
  std::uint64_t room(std::uint32_t learners) const override { return learners * row_; }

  void begin(World& world) override {
    learners_of_factors_ = world.factored();
    if (!learners_of_factors_) throw std::logic_error("these learners have no factors");
    parameters_ = world.vector(0);
    gradient_ = world.vector(1);
    for (LearnerId i = 0; i < learners_; ++i) {
      gradients_.push_back(world.vector(2 + i));
      rows_.push_back(learners_of_factors_->room().subspan(i * row_, row_));
    }
    world.initial(parameters_);
  }

  TrainedStep step(World& world, const Step& step) override {
    std::vector<Pass> passes;
    std::vector<FactorPass> asked;
    for (LearnerId i = 0; i < learners_; ++i) {
      passes.push_back({i, step.index, parameters_, gradients_[i]});
      asked.push_back({passes.back(), rows_[i]});
    }
    const std::vector<double> losses = learners_of_factors_->factors(exchange_->form(), asked);
    require_finite(losses, passes, world.layers());
    TrainedStep result{mean_of(losses), {}, learners_};
    StepRecord& record = result.record;
    begin_statistics(record);
    for (const LayerFactors& layer : layers_)
      for (std::uint32_t id : layer.summed)
        for (std::uint64_t e = first_[id]; e < first_[id] + tensors_[id].numel(); ++e)
          gradient_[e] = static_cast<float>(mean_gradient_[e]);
    std::vector<LayerSent> sent =
        exchange_->send({step, *learners_of_factors_, parameters_, rows_, gradient_});
    record.tensor_bytes.assign(tensors_.size(), 0);
    for (std::size_t l = layers_.size(); l-- > 0;) record.buckets.push_back({phases_of(l, sent[l], record)});
    tell(step, sent);
    end_statistics(record);
    optimizer_.apply(gradient_, step.learning_rate, parameters_);
    return result;
  }

  std::span<const float> parameters() const override { return parameters_; }
  const std::vector<Bucket>& buckets() const override { return buckets_; }

  std::vector<TrainedLayer> layers() const override {
    std::vector<TrainedLayer> all;
    const auto steps = static_cast<double>(steps_);
    for (std::size_t l = 0; l < layers_.size() && steps_ > 0; ++l) {
      TrainedLayer& layer = all.emplace_back();
      layer.name = layers_[l].name;
      layer.bytes = told_[l].bytes / steps / learners_;
      for (std::uint32_t id : layers_[l].parameters)
        layer.gradient_bytes += static_cast<double>(sizeof(float) * tensors_[id].numel());
      if (!exchange_->reduces() || layers_[l].products.empty()) continue;
      for (std::size_t epoch = 0; epoch < steps_of_epoch_.size(); ++epoch)
        layer.effective_rank.push_back(told_[l].ranks[epoch] / static_cast<double>(steps_of_epoch_[epoch]));
    }
    return all;
  }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(parameters_));
    optimizer_.save(writer);
    exchange_->save(writer);
    writer.put(steps_);
    writer.put_all(std::span<const std::uint64_t>(steps_of_epoch_));
    for (const Told& told : told_) {
      writer.put(told.bytes);
      writer.put_all(std::span<const double>(told.ranks));
    }
  }

  void load(Reader& reader) override {
    load_into(parameters_, reader);
    optimizer_.load(reader);
    exchange_->load(reader);
    steps_ = reader.get<std::uint64_t>();
    steps_of_epoch_ = reader.get_all<std::uint64_t>();
    for (Told& told : told_) {
      told.bytes = reader.get<double>();
      told.ranks = reader.get_all<double>();
    }
  }

 private:
  struct Told {
    double bytes = 0;           // of all learners and steps
    std::vector<double> ranks;  // by epoch, of all steps
  };

  Bytes summed_bytes(const LayerFactors& layer) const {
    Bytes all = 0;
    for (std::uint32_t id : layer.summed) all += sizeof(float) * tensors_[id].numel();
    return all;
  }

  // Of a layer without factors, the sum of its gradients.
  std::vector<Phase> phases_of(std::size_t l, LayerSent& sent, StepRecord& record) const {
    const LayerFactors& layer = layers_[l];
    for (std::uint32_t id : layer.summed)
      record.tensor_bytes[id] = learners_ * sizeof(float) * tensors_[id].numel();
    if (!layer.products.empty()) {
      record.tensor_bytes[layer.products[0].parameter] = sent.bytes;
      return std::move(sent.phases);
    }
    const std::uint64_t numbers = summed_bytes(layer) / sizeof(float);
    std::vector<Phase> phases(2);
    Op& op = phases[0].op.emplace();
    op.word = Word::all_reduce;
    op.count = numbers;
    op.value_bytes = learners_ * sizeof(float) * numbers;
    phases[1].work.push_back({Primitive::elementwise, {numbers}, 1, Stage::decode});
    return phases;
  }

  void tell(const Step& step, const std::vector<LayerSent>& sent) {
    ++steps_;
    const auto epoch = static_cast<std::size_t>(step.epoch);
    steps_of_epoch_.resize(std::max(steps_of_epoch_.size(), epoch + 1), 0);
    ++steps_of_epoch_[epoch];
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      told_[l].bytes += static_cast<double>(sent[l].bytes + learners_ * summed_bytes(layers_[l]));
      told_[l].ranks.resize(steps_of_epoch_.size(), 0);
      told_[l].ranks[epoch] += sent[l].effective_rank;
    }
  }

  void begin_statistics(StepRecord& record) {
    mean_gradient_.assign(parameters_.size(), 0);
    for (std::span<const float> gradient : gradients_)
      for (std::size_t e = 0; e < gradient.size(); ++e) {
        const auto g = static_cast<double>(gradient[e]);
        mean_gradient_[e] += g / learners_;
        record.gradient_square += g * g;
      }
    for (double value : mean_gradient_) record.mean_gradient_square += value * value;
    record.mean_input_square = record.mean_gradient_square;
  }

  void end_statistics(StepRecord& record) const {
    for (std::size_t e = 0; e < mean_gradient_.size(); ++e)
      record.error_square += std::pow(static_cast<double>(gradient_[e]) - mean_gradient_[e], 2);
    record.residual_square = record.error_square;
  }

  std::uint32_t learners_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::uint64_t> first_;  // of each tensor in the model
  std::vector<LayerFactors> layers_;
  std::unique_ptr<FactorExchange> exchange_;
  OptimizerState optimizer_;
  std::uint64_t row_;  // of a learner's factors
  std::vector<Bucket> buckets_;
  FactorWorld* learners_of_factors_ = nullptr;
  std::span<float> parameters_, gradient_;
  std::vector<std::span<float>> gradients_, rows_;
  std::vector<double> mean_gradient_;
  std::vector<Told> told_;  // by layer
  std::uint64_t steps_ = 0;
  std::vector<std::uint64_t> steps_of_epoch_;
};

}  // namespace

std::unique_ptr<TrainingAlgorithm> make_auto_differentiation(const Scenario& scenario,
                                                             std::span<const TensorInfo> layers,
                                                             unsigned threads) {
  return std::make_unique<AutoDifferentiation>(scenario, layers, threads);
}

}  // namespace traincast
