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
  return entry.make(read_parameters(reader, entry.name, entry.parameters));
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

TEST(WorkloadCatalog, SaysWhatComesLater) {
  EXPECT_EQ(
      refusal([] { layers_of(R"("resnet50")"); }),
      "test: workload 'resnet50' is not in this version: it comes with a later version; this one trains "
      "mlp and convnet; known: mlp, convnet");
  EXPECT_EQ(refusal([] { layers_of(R"({"name": "mpl"})"); }),
            "test:/name: unknown workload 'mpl'; did you mean 'mlp'?; known: mlp, convnet");
}

}  // namespace
}  // namespace traincast
