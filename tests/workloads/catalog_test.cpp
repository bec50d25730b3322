#include <gtest/gtest.h>

#include <set>

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

std::vector<TensorInfo> layers_of(const std::string& text) {
  Json value = Json::parse(text, "test");
  JsonReader reader(value, "test");
  const auto& entry = workload_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters)).layers;
}

std::uint64_t parameters_of(const std::string& text) {
  std::uint64_t sum = 0;
  for (const TensorInfo& layer : layers_of(text)) sum += layer.numel();
  return sum;
}

TEST(WorkloadCatalog, HasSoundTables) {
  for (const auto& entry : workload_catalog().entries()) {
    EXPECT_EQ(table_error(entry.parameters), "") << entry.name;
    auto layers = layers_of(Json(entry.name).dump());
    std::set<std::string> names;
    for (std::size_t id = 0; id < layers.size(); ++id) {
      EXPECT_EQ(layers[id].id, id);
      EXPECT_TRUE(names.insert(layers[id].name).second) << layers[id].name;
    }
  }
}

TEST(WorkloadCatalog, CountsTheParametersOfAnMlp) {
  // 3072·128 + 128, 128·64 + 64, 64·10 + 10.
  EXPECT_EQ(parameters_of(R"("mlp")"), 393344u + 8256u + 650u);
  EXPECT_EQ(parameters_of(R"({"name": "mlp", "hidden": []})"), 30730u);
}

TEST(WorkloadCatalog, CountsTheParametersOfAConvnet) {
  // He et al. 2016 give ResNet-20 (three blocks per stage) as 0.27 M. Convolutions: 432 in the stem, 6·2304
  // at width 16, 4608 + 5·9216 at 32, 18432 + 5·36864 at 64, projections 512 + 2048; normalisation 2·(16·7 +
  // 32·7 + 64·7); classifier 650.
  EXPECT_EQ(parameters_of(R"({"name": "convnet", "blocks": 3})"),
            432u + 13824u + 50688u + 202752u + 2560u + 1568u + 650u);
}

TEST(WorkloadCatalog, GivesABiasWhereNothingNormalises) {
  auto normalised = layers_of(R"("convnet")"),
       plain = layers_of(R"({"name": "convnet", "batch_norm": false})");
  EXPECT_EQ(normalised[0].name, "stem.weight");
  EXPECT_EQ(normalised[0].shape, (std::vector<std::int64_t>{16, 3, 3, 3}));
  EXPECT_EQ(normalised[1].name, "stem_norm.weight");
  EXPECT_EQ(normalised[1].kind, "norm.weight");
  EXPECT_EQ(normalised[2].kind, "norm.bias");
  EXPECT_EQ(plain[1].name, "stem.bias");
  EXPECT_EQ(plain[1].kind, "bias");
}

// He et al. 2016, table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 million.
TEST(WorkloadCatalog, CountsTheParametersOfResidualNetworksForCifar) {
  auto of_depth = [](int depth) {
    return parameters_of(R"({"name": "resnet20", "depth": )" + std::to_string(depth) + "}");
  };
  // Stem 432, convolutions 2304·(2n + 4(2n − ½) + 16(2n − ½)), scale and shift 2·(16·(2n + 1) + 32·2n +
  // 64·2n), classifier 650.
  auto expected = [](std::uint64_t n) { return 432 + 2304 * (42 * n - 10) + 32 + 448 * n + 650; };
  const std::vector<std::pair<int, double>> published{
      {20, 0.27}, {32, 0.46}, {44, 0.66}, {56, 0.85}, {110, 1.7}};
  for (auto [depth, millions] : published) {
    EXPECT_EQ(of_depth(depth), expected(static_cast<std::uint64_t>(depth - 2) / 6)) << depth;
    EXPECT_NEAR(static_cast<double>(of_depth(depth)) / 1e6, millions, millions > 1 ? 0.05 : 0.005) << depth;
  }
}

TEST(WorkloadCatalog, CountsTheParametersOfRecurrentNetworks) {
  // GRACE counts 19,775,200 of Zaremba's medium model with one bias a gate, where PyTorch's LSTM has two.
  EXPECT_EQ(parameters_of(R"("lstm_words")"), 19'775'200u + 2 * 4 * 650);
  // Both directions of six layers of 512 units, of 260 features first, then of 1024; 256 units; 32,000
  // states.
  std::uint64_t first = 2 * 2048 * (260 + 512 + 2), others = 2 * 2048 * (1024 + 512 + 2);
  EXPECT_EQ(parameters_of(R"("lstm_speech")"), first + 5 * others + 1025 * 256 + 257 * 32000);
  // A GRU has three gates.
  EXPECT_EQ(parameters_of(R"({"name": "gru_classifier", "vocabulary": 50, "width": 7, "units": 5})"),
            50u * 7 + 3 * 5 * (7 + 5 + 2) + 2 * (5 + 1));
}

TEST(WorkloadCatalog, CountsTheParametersOfTransformers) {
  // torch.nn.Transformer of the base size has 44,140,544 with a norm more at the end of each stack.
  EXPECT_EQ(parameters_of(R"("transformer")"), 44'140'544u - 2 * 1024 + 37000 * 512);
  // Radford et al. 2019, as transformers counts them: 354,823,168 (medium).
  EXPECT_EQ(parameters_of(R"({"name": "gpt", "layers": 24, "width": 1024, "heads": 16})"), 354'823'168u);
  // BERT-large, 335,141,888, and the heads for pretraining.
  std::uint64_t heads = 1024 * 1024 + 3 * 1024 + 30522 + 2 * 1025;
  EXPECT_EQ(parameters_of(R"({"name": "bert", "layers": 24, "width": 1024, "heads": 16, "inner": 4096})"),
            335'141'888u + heads);
}

TEST(WorkloadCatalog, CountsTheParametersOfUNet) {
  // By level: two 3 × 3 convolutions down, one 2 × 2 and two 3 × 3 up; every channel has a bias, or scale and
  // shift behind the 3 × 3 ones.
  auto expected = [](std::uint64_t channels, std::uint64_t classes, std::uint64_t per_channel) {
    std::uint64_t sum = 64 * classes + classes, from = channels;
    for (std::uint64_t width = 64; width <= 1024; width *= 2) {
      sum += 9 * width * (from + width) + 2 * per_channel * width;
      if (width < 1024)
        sum += 4 * 2 * width * width + width + 9 * width * 3 * width + 2 * per_channel * width;
      from = width;
    }
    return sum;
  };
  EXPECT_EQ(parameters_of(R"("unet")"), expected(3, 2, 2));
  EXPECT_EQ(parameters_of(R"({"name": "unet", "channels": 1, "batch_norm": false})"), expected(1, 2, 1));
}

TEST(WorkloadCatalog, RefusesParametersThatDoNotGoTogether) {
  auto refused = [](const std::string& text) {
    Json value = Json::parse(text, "test");
    return refusal([&] { read_workload(JsonReader(value, "test")); });
  };
  EXPECT_EQ(refused(R"({"name": "resnet20", "depth": 21})"),
            "test: depth must be 6n + 2, as 20, 32, 44, 56 or 110; got 21");
  EXPECT_EQ(refused(R"({"name": "gpt", "width": 100, "heads": 3})"),
            "test: width must be a multiple of heads, got 100 and 3");
  EXPECT_EQ(refused(R"({"name": "gpt", "length": 2000})"),
            "test: length must not exceed positions, got 2000 and 1024");
  EXPECT_EQ(refused(R"({"name": "unet", "side": 40})"),
            "test: side must be a multiple of 2^levels = 16, got 40");
  EXPECT_EQ(refused(R"({"name": "vgg16", "side": 16})"),
            "test: side is too small: nothing is left of the image to pool");
  EXPECT_EQ(refused(R"({"name": "lstm_words", "tied": true, "units": 200})"),
            "test: tied weights need width equal to units, got 650 and 200");
  EXPECT_EQ(refused(R"({"name": "ncf", "hidden": []})"),
            "test: hidden must begin with an even number: the embeddings of user and item, joined");
}

TEST(WorkloadCatalog, RefusesUnknownNamesWithTheNearest) {
  std::string unknown = refusal([] { layers_of(R"({"name": "mpl"})"); });
  EXPECT_TRUE(unknown.starts_with("test:/name: unknown workload 'mpl'; did you mean 'mlp'?; known: mlp, "))
      << unknown;
  std::string planned = refusal([] { layers_of(R"("lstm")"); });
  EXPECT_TRUE(
      planned.starts_with("test: workload 'lstm' is not in this version: there are lstm_words, "
                          "lstm_characters and lstm_speech; known: mlp, "))
      << planned;
}

}  // namespace
}  // namespace traincast
