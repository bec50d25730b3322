// Every model of the catalog, made small: LibTorch gives each value the shape that the model says, each
// parameter takes part, and the gradients are those of the loss.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.hpp"
#include "workloads/capture/neural_network.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

const std::map<std::string, std::string> kSmall{
    {"mlp", R"("hidden": [8, 6], "side": 8)"},
    {"convnet", R"("width": 4, "side": 8)"},
    {"resnet20", R"("width": 4, "depth": 14, "side": 8)"},
    {"resnet18_cifar", R"("width": 4, "side": 8)"},
    {"resnet18", R"("width": 4, "side": 32, "classes": 5)"},
    {"resnet50", R"("width": 2, "side": 32, "classes": 5)"},
    {"resnet101", R"("width": 2, "side": 64, "classes": 5)"},
    {"vgg16", R"("width": 4, "hidden": 8, "side": 32, "classes": 5)"},
    {"vgg19", R"("width": 4, "hidden": 8, "side": 32, "classes": 5, "dropout": 0.3)"},
    {"mobilenetv2", R"("width": 0.25, "side": 64, "classes": 5)"},
    {"unet", R"("width": 4, "levels": 2, "side": 8)"},
    {"lstm_words", R"("vocabulary": 30, "width": 6, "units": 6, "length": 5, "tied": true, "dropout": 0.2)"},
    {"lstm_characters", R"("vocabulary": 20, "width": 5, "units": 6, "length": 5)"},
    {"lstm_speech", R"("features": 5, "units": 4, "layers": 2, "bottleneck": 6, "length": 5, "classes": 7)"},
    {"gru_classifier", R"("vocabulary": 20, "width": 5, "units": 6, "length": 5)"},
    {"gpt",
     R"("vocabulary": 20, "layers": 2, "width": 8, "heads": 2, "length": 6, "positions": 6, "dropout": 0.1)"},
    {"bert",
     R"("vocabulary": 20, "layers": 2, "width": 8, "heads": 2, "inner": 12, "length": 6, "positions": 6)"},
    {"transformer", R"("vocabulary": 20, "layers": 1, "width": 8, "heads": 2, "inner": 12, "length": 5)"},
    {"ncf", R"("users": 6, "items": 5, "factors": 3, "hidden": [8, 4])"}};

Model small_model(const std::string& name) {
  Json json = Json::parse("{\"name\": \"" + name + "\", " + kSmall.at(name) + "}", "test");
  return workload_model(JsonReader(json, "test"));
}

/// Features and labels at random, four samples.
Batch random_batch(const Model& model) {
  Batch batch{.samples = 4, .features = {}, .numbers = {}, .labels = {}, .step = 3, .learner = 1};
  RandomStream random({.seed = 5});
  std::int64_t size = 1;
  for (std::int64_t extent : model.input.shape) size *= extent;
  for (std::uint64_t sample = 0; sample < batch.samples; ++sample) {
    const auto& ranges = model.input.ranges;
    for (std::int64_t i = 0; i < size; ++i)
      if (ranges.empty())
        batch.features.push_back(static_cast<float>(random.normal()));
      else
        batch.numbers.push_back(static_cast<std::int64_t>(random.below(
            static_cast<std::uint64_t>(ranges[ranges.size() > 1 ? static_cast<std::size_t>(i) : 0]))));
    for (const Loss& loss : model.losses)
      for (std::int64_t row = 0; row < loss.rows; ++row)
        batch.labels.push_back(static_cast<std::int64_t>(
            random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(2, loss.classes)))));
  }
  return batch;
}

Network network_of(const Model& model) {
  return Network({.model = model, .seed = 3, .device = Device::cpu, .precision = Precision::fp64});
}

TEST(Models, AllHaveASmallExampleHere) {
  for (const std::string& name : workload_catalog().names()) EXPECT_TRUE(kSmall.contains(name)) << name;
}

TEST(Models, HaveFiniteGradientsForEveryParameterAndThoseOfTheLoss) {
  use_one_thread_each();
  for (const std::string& name : workload_catalog().names()) {
    Model model = small_model(name);
    Batch batch = random_batch(model);
    Network network = network_of(model);
    auto replica = network.replica();
    double loss = replica->run(batch);
    EXPECT_TRUE(std::isfinite(loss) && loss > 0) << name << " " << loss;
    std::vector<std::vector<float>> gradient;
    double square = 0;
    for (const TensorInfo& layer : model.layers) {
      double own = 0;
      auto& values = gradient.emplace_back();
      for (double value : replica->gradient_in_double(layer.id)) {
        values.push_back(static_cast<float>(value));
        own += value * value;
      }
      EXPECT_EQ(values.size(), layer.numel()) << name << " " << layer.name;
      EXPECT_TRUE(std::isfinite(own) && own > 0) << name << " " << layer.name;
      square += own;
    }
    // The loss along the gradient, by central differences: (f(p + εg) − f(p − εg)) / 2ε = ‖g‖².
    const double step = 1e-10 / std::sqrt(square);
    network.apply(gradient, -step);
    double above = replica->run(batch);
    network.apply(gradient, 2 * step);
    double below = replica->run(batch);
    EXPECT_NEAR((above - below) / (2 * step), square, 2e-3 * square) << name;
  }
}

TEST(Models, DropTheSameForTheSameStepAndLearner) {
  Model model = small_model("gpt");
  Batch batch = random_batch(model), next = batch, other = batch;
  next.step = 4, other.learner = 2;
  Network network = network_of(model);
  double first = network.replica()->run(batch);
  EXPECT_EQ(network.replica()->run(batch), first);
  EXPECT_NE(network.replica()->run(next), first);
  EXPECT_NE(network.replica()->run(other), first);
}

TEST(Models, OfLanguageDoNotLookAhead) {
  for (const std::string name : {"lstm_characters", "gpt"}) {
    Model model = small_model(name);
    Batch batch = random_batch(model);
    Network network = network_of(model);
    auto length = static_cast<std::size_t>(model.input.shape[0]);
    auto loss_at = [&](std::size_t place) {
      Batch one = batch;
      for (std::size_t i = 0; i < one.labels.size(); ++i)
        if (i % length != place) one.labels[i] = kNoLabel;
      return network.replica()->run(one);
    };
    double early = loss_at(2), last = loss_at(length - 1);
    for (std::size_t i = length - 1; i < batch.numbers.size(); i += length)
      batch.numbers[i] = (batch.numbers[i] + 1) % 20;
    EXPECT_EQ(loss_at(2), early) << name;
    EXPECT_NE(loss_at(length - 1), last) << name;
  }
}

}  // namespace
}  // namespace traincast
