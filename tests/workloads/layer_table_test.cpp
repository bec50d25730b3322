// Layer tables against what is published of their models, and against each other.
#include "workloads/layer_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

LayerTable table_of(const std::string& name) {
  Json text = name;
  return find_layer_table(JsonReader(text, "test"));
}

std::uint64_t parameters(const LayerTable& table) {
  std::uint64_t sum = 0;
  for (const TensorInfo& layer : table.layers) sum += layer.numel();
  return sum;
}

/// Multiplications with additions of one sample: normalisations apart, everything is made of them.
double macs(const LayerTable& table) {
  double sum = 0;
  for (std::size_t i = 0; i < table.layers.size(); ++i)
    if (!table.layers[i].kind.starts_with("norm")) sum += table.costs[i].flops / 2;
  return sum;
}

// Torchvision's for ImageNet; pytorch-cifar's for CIFAR; transformers' for GPT-2 and BERT, with its heads for
// pretraining and without; NVIDIA's NeuMF as GRACE counts it; PowerSGD's LSTM.
TEST(LayerTables, HaveThePublishedNumberOfParameters) {
  const std::vector<std::pair<std::string, std::uint64_t>> published{{"resnet18_cifar", 11'173'962},
                                                                     {"resnet18", 11'689'512},
                                                                     {"resnet50", 25'557'032},
                                                                     {"resnet101", 44'549'160},
                                                                     {"vgg16", 138'357'544},
                                                                     {"vgg19", 143'667'240},
                                                                     {"mobilenetv2", 3'504'872},
                                                                     {"gpt", 124'439'808},
                                                                     {"bert", 110'106'428},
                                                                     {"bert_base", 109'482'240},
                                                                     {"lstm_wikitext2", 28'949'319},
                                                                     {"resnet50_tensorflow", 25'557'032},
                                                                     {"ncf", 31'832'577}};
  for (const auto& [name, count] : published) EXPECT_EQ(parameters(table_of(name)), count) << name;
}

// As checkpoints of torchvision and transformers have them (GPT-2's keep this matrix transposed); of U-Net
// and NCF, as the papers have their layers.
TEST(LayerTables, HaveThePublishedShapes) {
  const std::vector<std::tuple<std::string, std::string, std::vector<std::int64_t>>> published{
      {"resnet18", "layer2.0.downsample.0.weight", {128, 64, 1, 1}},
      {"resnet50", "layer1.0.conv3.weight", {256, 64, 1, 1}},
      {"resnet50", "fc.weight", {1000, 2048}},
      {"resnet101", "layer3.22.conv2.weight", {256, 256, 3, 3}},
      {"vgg16", "features.0.weight", {64, 3, 3, 3}},
      {"vgg16", "features.28.weight", {512, 512, 3, 3}},
      {"vgg16", "classifier.0.weight", {4096, 25088}},
      {"vgg19", "features.34.weight", {512, 512, 3, 3}},
      {"mobilenetv2", "features.1.conv.0.0.weight", {32, 1, 3, 3}},
      {"mobilenetv2", "features.18.0.weight", {1280, 320, 1, 1}},
      {"gpt", "transformer.wte.weight", {50257, 768}},
      {"gpt", "transformer.wpe.weight", {1024, 768}},
      {"gpt", "transformer.h.11.mlp.c_fc.weight", {3072, 768}},
      {"bert", "embeddings.word_embeddings.weight", {30522, 768}},
      {"bert", "encoder.layer.0.attention.self.query.weight", {768, 768}},
      {"bert", "encoder.layer.11.intermediate.dense.weight", {3072, 768}},
      {"unet", "out.weight", {2, 64, 1, 1}},
      {"ncf", "mlp.1.weight", {128, 256}},
  };
  for (const auto& [name, tensor, shape] : published) {
    const LayerTable table = table_of(name);
    const auto layer = std::ranges::find(table.layers, tensor, &TensorInfo::name);
    ASSERT_NE(layer, table.layers.end()) << name << ": " << tensor;
    EXPECT_EQ(layer->shape, shape) << name << ": " << tensor;
  }
}

TEST(LayerTables, AreThoseOfAllWorkloadsAndOfVariants) {
  std::vector<std::string> names = workload_catalog().names();
  names.insert(names.end(), {"bert_base", "lstm_wikitext2", "resnet50_tensorflow"});
  EXPECT_EQ(layer_table_names(), names);
  EXPECT_EQ(table_of("resnet50").sample, "an image of 224x224x3");
  EXPECT_EQ(table_of("lstm_wikitext2").sample, "a sequence of 30 tokens");
}

// Rows of a matrix are the first extent, which is a kernel's height there: of 1 × 1 convolutions one row.
TEST(LayerTables, KeepTensorsAsTensorFlowDoes) {
  LayerTable torch = table_of("resnet50"), tensorflow = table_of("resnet50_tensorflow");
  EXPECT_EQ(torch.layers.front().shape, (std::vector<std::int64_t>{64, 3, 7, 7}));
  EXPECT_EQ(tensorflow.layers.front().shape, (std::vector<std::int64_t>{7, 7, 3, 64}));
  EXPECT_EQ(tensorflow.layers[159].shape, (std::vector<std::int64_t>{2048, 1000}));
  for (std::size_t i = 0; i < torch.layers.size(); ++i)
    EXPECT_EQ(torch.layers[i].numel(), tensorflow.layers[i].numel());
}

// Of one 224 × 224 image, in the digits that are usually told: 1.8, 4.1 and 15.5 billion, 300 million
// (Sandler et al. 2018, table 4), and 0.56 billion of a CIFAR image.
TEST(LayerTables, HaveTheKnownMultiplications) {
  EXPECT_NEAR(macs(table_of("resnet18")), 1.814e9, 1e6);
  EXPECT_NEAR(macs(table_of("resnet50")), 4.089e9, 1e6);
  EXPECT_NEAR(macs(table_of("resnet101")), 7.80e9, 5e6);
  EXPECT_NEAR(macs(table_of("vgg16")), 15.47e9, 1e7);
  EXPECT_NEAR(macs(table_of("mobilenetv2")), 300e6, 1.5e6);
  EXPECT_NEAR(macs(table_of("resnet18_cifar")), 0.555e9, 1e6);
}

// Twelve layers of 12·768² weights, each used for 128 tokens; scores and weighted sums have 128²·768 each.
TEST(LayerTables, HaveTheMultiplicationsOfATransformer) {
  double weights = 12.0 * 12 * 768 * 768 * 128, attention = 12.0 * 2 * 128 * 128 * 768, pooler = 768.0 * 768;
  EXPECT_DOUBLE_EQ(macs(table_of("bert_base")), weights + attention + pooler);
  // A decoder of the same size, without a pooler; its softmax counts with the norm before it, for the weight
  // is the embedding's.
  LayerTable gpt = table_of("gpt");
  EXPECT_DOUBLE_EQ(macs(gpt), weights + attention);
  EXPECT_EQ(gpt.layers[146].name, "transformer.ln_f.weight");
  EXPECT_DOUBLE_EQ(gpt.costs[146].flops, 2 * 128.0 * 768 * 50257 + 4 * 128.0 * 768);
}

// Three layers of eight 650 × 650 matrices and the softmax over 28,869 words, for each of 30 tokens.
TEST(LayerTables, HaveTheMultiplicationsOfALanguageModel) {
  EXPECT_DOUBLE_EQ(macs(table_of("lstm_wikitext2")), 30.0 * (3 * 8 * 650 * 650 + 650 * 28869.0));
}

TEST(LayerTables, GiveMatricesTheMultiplicationsOfTheirShape) {
  for (const std::string& name : layer_table_names()) {
    LayerTable table = table_of(name);
    for (std::size_t i = 0; i < table.layers.size(); ++i) {
      const TensorInfo& layer = table.layers[i];
      const LayerCost& cost = table.costs[i];
      if (layer.kind == "conv.weight" || layer.kind == "lstm.weight") {  // once for each place or token
        double uses = cost.flops / 2 / static_cast<double>(layer.numel());
        EXPECT_GE(uses, 1) << layer.name;
        EXPECT_EQ(uses, static_cast<double>(static_cast<std::uint64_t>(uses))) << name << " " << layer.name;
      }
      if (layer.kind == "bias" || layer.kind.starts_with("norm")) {
        EXPECT_EQ(layer.shape.size(), 1u) << layer.name;
      }
      EXPECT_GE(cost.backward_bytes, cost.bytes) << name << " " << layer.name;
    }
  }
}

// 16 channels, with normalisation.
TEST(WorkloadCosts, CountAConvolutionalNetworkAsTheTablesDo) {
  Json text = Json::parse(R"({"name": "convnet", "width": 16, "blocks": 1})", "test");
  auto [input, layers, costs, initial, operations, losses] = workload_model(JsonReader(text, "test"));
  ASSERT_EQ(costs.size(), layers.size());
  double sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!layers[i].kind.starts_with("norm")) sum += costs[i].flops / 2;
  double stage0 = 1024.0 * 9 * (3 * 16 + 2 * 16 * 16);
  double stage1 = 256.0 * (9 * (16 * 32 + 32 * 32) + 16 * 32),
         stage2 = 64.0 * (9 * (32 * 64 + 64 * 64) + 32 * 64);
  EXPECT_DOUBLE_EQ(sum, stage0 + stage1 + stage2 + 64 * 10);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].name == "stage1.block0.shortcut.weight") {
      EXPECT_DOUBLE_EQ(costs[i].bytes, 4 * (16.0 * 1024 + 32 * 256));
    }
    if (layers[i].name == "stage1.block0.conv1_norm.weight") {  // normalised, added, rectified
      EXPECT_DOUBLE_EQ(costs[i].bytes, 4 * 8.0 * 32 * 256);
    }
  }
}

TEST(WorkloadCosts, CountAPerceptron) {
  Json text = Json::parse(R"({"name": "mlp", "hidden": [100]})", "test");
  auto costs = workload_model(JsonReader(text, "test")).costs;
  EXPECT_DOUBLE_EQ(costs[0].flops, 2 * 3072.0 * 100);
  EXPECT_DOUBLE_EQ(costs[0].bytes, 4 * (3072.0 + 100 + 200));
  EXPECT_EQ(costs[1].flops, 0);
  EXPECT_DOUBLE_EQ(costs[2].bytes, 4 * (110.0 + 20));  // with the logarithm of the softmax
}

TEST(LayerTables, OfOnesOwnAreRefusedAtTheirPlace) {
  ScratchFolder folder;
  auto refused = [&](const std::string& text) {
    write_text_file(folder / "own.json", text);
    Json name = "own.json";
    return without(refusal([&] { find_layer_table(JsonReader(name, folder / "scenario.json")); }),
                   folder.path());
  };
  auto table = [](const std::string& parameters, const std::string& shape, const std::string& more) {
    return R"({"format": 1, "name": "own", "sample": "a row", "source": "mine", "parameters": )" +
           parameters + R"(, "layers": [{"name": "w", "shape": )" + shape +
           R"(, "kind": "linear.weight", "flops": 12, "bytes": 20, "backward_bytes": 40)" + more + "}]}";
  };
  EXPECT_EQ(refused(table("7", "[2, 3]", "")), "own.json:/parameters: is 7, and the shapes have 6");
  EXPECT_EQ(refused(table("6", "[2, 0]", "")), "own.json:/layers/0/shape/1: must be 1 or more, got 0");
  EXPECT_EQ(refused(table("6", "[2, 3]", ", \"operations\": 0")),
            "own.json:/layers/0/operations: must lie in [1, 1000000], got 0");
  write_text_file(folder / "own.json", table("6", "[2, 3]", ", \"operations\": 4"));
  Json name = "own.json";
  EXPECT_EQ(find_layer_table(JsonReader(name, folder / "scenario.json")).costs[0].operations, 4u);
}

TEST(LayerTables, ThatAreNotKnownAreRefusedWithTheNearest) {
  std::string message = refusal([] { table_of("resnet5O"); });
  EXPECT_TRUE(message.starts_with(
      "test: unknown model 'resnet5O'; did you mean 'resnet50'?; known: mlp, convnet, resnet20, "))
      << message;
  EXPECT_TRUE(
      message.ends_with(", bert_base, lstm_wikitext2, resnet50_tensorflow, or the file of a layer "
                        "table, *.json"))
      << message;
}

}  // namespace
}  // namespace traincast
