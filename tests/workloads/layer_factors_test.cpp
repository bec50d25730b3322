// Layers' inputs and deltas: what is sent of which layer, and that their products are the gradient of all
// learners' mini-batches pooled.
#include "workloads/layer_factors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "base/random.hpp"
#include "workloads/capture/neural_network.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

Model model_of(const std::string& workload) {
  Json json = Json::parse(workload, "test");
  return workload_model(JsonReader(json, "test"));
}

const std::string kMlp = R"({"name": "mlp", "hidden": [8, 6], "side": 8, "channels": 1})";
const std::string kVgg =
    R"({"name": "vgg16", "width": 4, "hidden": 8, "side": 32, "classes": 5, "dropout": 0})";
const std::string kLstm =
    R"({"name": "lstm_characters", "vocabulary": 20, "width": 5, "units": 6, "length": 5})";
const std::string kSpeech =
    R"({"name": "lstm_speech", "features": 5, "units": 4, "layers": 2, "bottleneck": 6,
        "length": 5, "classes": 7})";
const std::string kGru =
    R"({"name": "gru_classifier", "vocabulary": 20, "width": 5, "units": 6, "length": 5})";
const std::string kConvnet = R"({"name": "convnet", "width": 4, "side": 8, "batch_norm": false})";

struct Learners {
  std::vector<Batch> own;
  Batch pooled;
};

// Three learners with two samples each.
Learners learners_of(const Model& model) {
  Learners all;
  RandomStream random({.seed = 5});
  std::int64_t size = 1;
  for (std::int64_t extent : model.input.shape) size *= extent;
  for (LearnerId learner = 0; learner < 3; ++learner) {
    Batch& batch = all.own.emplace_back();
    batch.samples = 2;
    batch.learner = learner;
    for (std::int64_t i = 0; i < 2 * size; ++i)
      if (model.input.ranges.empty())
        batch.features.push_back(static_cast<float>(random.normal()));
      else
        batch.numbers.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(
            model.input.ranges[model.input.ranges.size() > 1 ? static_cast<std::size_t>(i % size) : 0]))));
    for (int sample = 0; sample < 2; ++sample)
      for (const Loss& loss : model.losses)
        for (std::int64_t row = 0; row < loss.rows; ++row)
          batch.labels.push_back(static_cast<std::int64_t>(
              random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(2, loss.classes)))));
    all.pooled.samples += batch.samples;
    auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(all.pooled.features, batch.features);
    append(all.pooled.numbers, batch.numbers);
    append(all.pooled.labels, batch.labels);
  }
  return all;
}

struct Distance {
  double difference = 0, square = 0;
  std::size_t parameters = 0;
  double relative() const { return std::sqrt(difference / square); }
};

/// Of the products of what all learners send, from LibTorch's gradient of the pooled mini-batch; over the
/// parameters that have factors.
template <class T>
Distance distance(const std::string& workload, FactorForm form) {
  use_one_thread_each();
  const Model model = model_of(workload);
  const Learners learners = learners_of(model);
  Network network({.model = model,
                   .seed = 3,
                   .device = Device::cpu,
                   .precision = sizeof(T) == 8 ? Precision::fp64 : Precision::fp32});
  auto replica = network.replica();
  const std::vector<LayerFactors> layers = layer_factors(model, form);
  std::vector<std::vector<std::byte>> rows;
  std::vector<std::span<const std::byte>> sent;
  for (const Batch& batch : learners.own) {
    rows.emplace_back(factor_numbers(layers, batch.samples) * sizeof(T));
    const double loss = replica->run(batch, layers, rows.back());
    EXPECT_NEAR(loss, network.replica()->run(batch), 1e-6 * loss);
  }
  for (const auto& row : rows) sent.push_back(row);
  std::vector<T> gradient(model.parameters());
  replica->multiply(layers, 2, sent, std::as_writable_bytes(std::span(gradient)));

  replica->run(learners.pooled);
  Distance result;
  std::uint64_t at = 0;
  for (const TensorInfo& tensor : model.layers) {
    bool has_factors = false;
    for (const LayerFactors& layer : layers)
      for (const FactorProduct& product : layer.products)
        has_factors = has_factors || product.parameter == tensor.id;
    result.parameters += has_factors;
    std::vector<double> pooled = replica->gradient_in_double(tensor.id);
    for (std::size_t e = 0; e < pooled.size() && has_factors; ++e) {
      result.difference += std::pow(static_cast<double>(gradient[at + e]) - pooled[e], 2);
      result.square += pooled[e] * pooled[e];
    }
    at += tensor.numel();
  }
  return result;
}

TEST(LayerFactors, MultiplyToTheGradientOfThePooledMiniBatch) {
  const std::map<std::string, std::size_t> parameters{
      {kMlp, 6},       // three layers
      {kConvnet, 20},  // nine convolutions with biases, and the last layer
      {kVgg, 32},      // sixteen layers
      {kLstm, 6},      // the cell's four tensors and the last layer; not the embedding
      {kSpeech, 20},   // two layers of two directions, two linear ones
      {kGru, 6}};
  for (const auto& [workload, count] : parameters) {
    Distance in_double = distance<double>(workload, FactorForm::both);
    EXPECT_EQ(in_double.parameters, count) << workload;
    EXPECT_LE(in_double.relative(), 1e-12) << workload;
    EXPECT_LE(distance<float>(workload, FactorForm::both).relative(), 5e-6) << workload;
  }
}

TEST(LayerFactors, MultiplyInModelsOfEveryKindOfLayer) {
  for (const char* workload :
       {R"({"name": "gpt", "vocabulary": 20, "layers": 2, "width": 8, "heads": 2,
             "length": 6, "positions": 6})",
        R"({"name": "transformer", "vocabulary": 20, "layers": 1, "width": 8, "heads": 2,
             "inner": 12, "length": 5, "dropout": 0})",
        R"({"name": "ncf", "users": 6, "items": 5, "factors": 3, "hidden": [8, 4]})",
        R"({"name": "lstm_words", "vocabulary": 30, "width": 6, "units": 6, "length": 5, "tied": true})"}) {
    Distance in_double = distance<double>(workload, FactorForm::both);
    EXPECT_GT(in_double.parameters, 0u) << workload;
    EXPECT_LE(in_double.relative(), 1e-12) << workload;
  }
}

TEST(LayerFactors, GiveTheSameFromTheLastDeltaAlone) {
  for (const std::string& workload : {kMlp, kVgg}) {
    EXPECT_LE(distance<double>(workload, FactorForm::last_delta).relative(), 1e-12) << workload;
    EXPECT_LE(distance<float>(workload, FactorForm::last_delta).relative(), 5e-6) << workload;
  }
}

TEST(LayerFactors, MultiplyWhereConvolutionsAreUnfoldedAsWell) {
  for (const std::string& workload : {kConvnet, kGru})
    EXPECT_LE(distance<double>(workload, FactorForm::unfolded).relative(), 1e-12) << workload;
}

// By hand: a row of A and Δ for each place of each sample.
TEST(LayerFactors, AreAsLongAsLayersAreWideForEachPlace) {
  auto sent = [](const std::string& workload, FactorForm form) {
    std::map<std::string, std::uint64_t> numbers;
    for (const LayerFactors& layer : layer_factors(model_of(workload), form))
      numbers[layer.name] = layer.sent();
    return numbers;
  };
  using Numbers = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(sent(kMlp, FactorForm::both), (Numbers{{"fc0", 64 + 8}, {"fc1", 8 + 6}, {"fc2", 6 + 10}}));
  EXPECT_EQ(sent(kMlp, FactorForm::last_delta), (Numbers{{"fc0", 64}, {"fc1", 8}, {"fc2", 6 + 10}}));
  // Five steps; inputs, hidden states and four gates, and a GRU's new gate once more.
  EXPECT_EQ(sent(kLstm, FactorForm::both),
            (Numbers{{"encoder", 0}, {"rnn_l0", 5 * (5 + 6 + 24)}, {"decoder", 5 * (6 + 20)}}));
  EXPECT_EQ(sent(kGru, FactorForm::both).at("rnn_l0"), 5u * (5 + 6 + 18 + 6));
  // 32 × 32 images of three channels, then of four; a place sees nine of them.
  EXPECT_EQ(sent(kVgg, FactorForm::both).at("features.0"), 1024u * (3 + 4));
  EXPECT_EQ(sent(kVgg, FactorForm::unfolded).at("features.0"), 1024u * (27 + 4));
  EXPECT_EQ(sent(kVgg, FactorForm::last_delta).at("features.0"), 1024u * 3);
}

// Behind max pooling the places of the maxima are needed; a function's derivative follows from its result.
TEST(LayerFactors, SayWhichLayersAreComputedAgain) {
  std::vector<std::string> again;
  for (const LayerFactors& layer : layer_factors(model_of(kVgg), FactorForm::last_delta))
    if (layer.again) again.push_back(layer.name);
  EXPECT_EQ(again, (std::vector<std::string>{"features.2", "features.7", "features.14", "features.21",
                                             "features.28"}));
  for (const LayerFactors& layer : layer_factors(model_of(kMlp), FactorForm::last_delta))
    EXPECT_FALSE(layer.again);
}

TEST(LayerFactors, CoverEveryParameterOnce) {
  for (FactorForm form : {FactorForm::both, FactorForm::last_delta, FactorForm::unfolded})
    for (const std::string& workload : {kMlp, kVgg, kLstm, kSpeech, kGru, kConvnet}) {
      const Model model = model_of(workload);
      std::vector<int> owners(model.layers.size(), 0);
      std::vector<std::uint64_t> rows(model.layers.size(), 0);
      for (const LayerFactors& layer : layer_factors(model, form)) {
        for (std::uint32_t id : layer.parameters) ++owners[id];
        for (std::uint32_t id : layer.summed)
          rows[id] += static_cast<std::uint64_t>(model.layers[id].shape[0]);
        for (const FactorProduct& product : layer.products) rows[product.parameter] += product.count;
      }
      for (const TensorInfo& tensor : model.layers) {
        EXPECT_EQ(owners[tensor.id], 1) << workload << " " << tensor.name;
        EXPECT_EQ(rows[tensor.id], static_cast<std::uint64_t>(tensor.shape[0]))
            << workload << " " << tensor.name;
      }
    }
}

TEST(LayerFactors, AreRefusedWhereTheirProductsWouldNotBeTheGradient) {
  using testing::HasSubstr;
  auto why = [](const std::string& workload, FactorForm form) {
    return refusal_of_factors(model_of(workload), form);
  };
  const std::string normed = R"({"name": "convnet", "width": 4, "side": 8, "batch_norm": true})";
  const std::string dropped =
      R"({"name": "vgg16", "width": 4, "hidden": 8, "side": 32, "classes": 5, "dropout": 0.5})";
  for (FactorForm form : {FactorForm::both, FactorForm::last_delta})
    EXPECT_THAT(why(normed, form), HasSubstr("batch normalisation"));
  EXPECT_EQ(why(normed, FactorForm::unfolded), "");
  EXPECT_EQ(why(dropped, FactorForm::both), "") << "each learner's masks are in its factors";
  EXPECT_THAT(why(dropped, FactorForm::last_delta), HasSubstr("dropout"));
  EXPECT_THAT(why(kConvnet, FactorForm::last_delta), HasSubstr("a sum of two branches"));
  EXPECT_THAT(why(kGru, FactorForm::last_delta), HasSubstr("an embedding"));
  EXPECT_THAT(why(kSpeech, FactorForm::last_delta), HasSubstr("a recurrent layer"));
  for (const std::string& workload : {kMlp, kVgg}) EXPECT_EQ(why(workload, FactorForm::last_delta), "");
}

}  // namespace
}  // namespace traincast
