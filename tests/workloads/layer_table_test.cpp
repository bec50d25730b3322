// Layer tables against what is published of their models, and against each other.
#include "workloads/models/layer_table.hpp"

#include <gtest/gtest.h>

#include <set>

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

TEST(LayerTables, HaveThePublishedNumberOfParameters) {
  const std::vector<std::pair<std::string, std::uint64_t>> published{
      {"bert_base", 109'482'240},          {"lstm_wikitext2", 28'949'319},
      {"mobilenetv2", 3'504'872},          {"resnet18", 11'689'512},
      {"resnet18_cifar", 11'173'962},      {"resnet50", 25'557'032},
      {"resnet50_tensorflow", 25'557'032}, {"vgg16", 138'357'544}};
  std::vector<std::string> names;
  for (const auto& [name, count] : published) {
    EXPECT_EQ(parameters(table_of(name)), count) << name;
    names.push_back(name);
  }
  EXPECT_EQ(layer_table_names(), names);
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
  EXPECT_NEAR(macs(table_of("vgg16")), 15.47e9, 1e7);
  EXPECT_NEAR(macs(table_of("mobilenetv2")), 300e6, 1.5e6);
  EXPECT_NEAR(macs(table_of("resnet18_cifar")), 0.555e9, 1e6);
}

// Twelve layers of 12·768² weights, each used for 128 tokens; scores and weighted sums have 128²·768 each.
TEST(LayerTables, HaveTheMultiplicationsOfATransformer) {
  double weights = 12.0 * 12 * 768 * 768 * 128, attention = 12.0 * 2 * 128 * 128 * 768, pooler = 768.0 * 768;
  EXPECT_DOUBLE_EQ(macs(table_of("bert_base")), weights + attention + pooler);
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

// A layer's inputs are the outputs of one before it.
TEST(LayerTables, HaveShapesThatFitTogether) {
  for (const std::string& name : layer_table_names()) {
    if (name.ends_with("_tensorflow")) continue;  // kernels' height and width come first there
    std::set<std::int64_t> widths{3, 768, 650};   // of an image, of an embedding
    for (const TensorInfo& layer : table_of(name).layers) {
      bool grouped = layer.kind == "conv.weight" && layer.shape[1] == 1;
      bool flattened = name == "vgg16" && layer.name == "classifier.0.weight";
      if (layer.kind.ends_with("weight") && !layer.kind.starts_with("norm") &&
          !layer.kind.starts_with("embedding")) {
        EXPECT_TRUE(grouped || widths.contains(flattened ? layer.shape[1] / 49 : layer.shape[1]))
            << name << " " << layer.name;
      }
      if (layer.kind.starts_with("norm")) {
        EXPECT_TRUE(widths.contains(layer.shape[0])) << name << " " << layer.name;
      }
      widths.insert(layer.shape[0]);
    }
  }
}

// The workload of 16 channels with normalisation, as scripts/make-layer-tables would count it.
TEST(WorkloadCosts, CountAConvolutionalNetworkAsTheTablesDo) {
  Json text = Json::parse(R"({"name": "convnet", "width": 16, "blocks": 1})", "test");
  Parameters parameters = read_workload(JsonReader(text, "test"));
  Json name = "convnet";
  auto layers = workload_catalog().find(JsonReader(name, "test")).make(parameters);
  auto costs = workload_costs("convnet", layers);
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
  auto parameters = read_workload(JsonReader(text, "test"));
  Json name = "mlp";
  auto costs = workload_costs("mlp", workload_catalog().find(JsonReader(name, "test")).make(parameters));
  EXPECT_DOUBLE_EQ(costs[0].flops, 2 * 3072.0 * 100);
  EXPECT_DOUBLE_EQ(costs[0].bytes, 4 * (3072.0 + 100 + 200));
  EXPECT_EQ(costs[1].flops, 0);
  EXPECT_DOUBLE_EQ(costs[2].bytes, 4 * 110.0);
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
  EXPECT_EQ(
      refusal([] { table_of("resnet5O"); }),
      "test: unknown model 'resnet5O'; did you mean 'resnet50'?; known: bert_base, lstm_wikitext2, "
      "mobilenetv2, "
      "resnet18, resnet18_cifar, resnet50, resnet50_tensorflow, vgg16, or the file of a layer table, *.json");
}

}  // namespace
}  // namespace traincast
