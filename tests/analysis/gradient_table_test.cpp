// The table of models as text, Markdown and JSON.
#include "analysis/gradient_table.hpp"

#include <gmock/gmock.h>

namespace traincast {
namespace {

using ::testing::HasSubstr;

GradientTable two_models() {
  GradientsOfModel small{.model = "mlp",
                         .workload = Json::parse(R"({"name": "mlp", "batch": 32})", "test"),
                         .parameters = 402'442,
                         .batch = 32,
                         .data = "images, made",
                         .pass_cpu_s = 0.00175,
                         .processor = "a processor",
                         .at = {{8, {{7.471, 499.6, 0.9312}, {std::nullopt, 56.4, 0.0}}, {}}, {64, {}, {}}},
                         .lacking = {"64 learners do not fit"}};
  GradientsOfModel large;
  large.model = "vgg16";
  large.parameters = 138'357'544;
  large.batch = 1;
  return {{"topk density=0.001", "powersgd rank=2"}, {small, large}};
}

TEST(GradientTable, HasALineForEveryModelAndNumberOfLearners) {
  EXPECT_THAT(to_markdown(two_models()),
              HasSubstr("| model | parameters | batch | pass | N | topk density=0.001 | powersgd rank=2 |\n"
                        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
                        "| mlp | 402442 | 32 | 1.75 ms | 8 | 7.47 / 500 / 0.931 | - / 56.4 / 0.000 |\n"
                        "|  |  |  |  | 64 | - | - |\n"
                        "| vgg16 | 138357544 | 1 | - | - | - | - |\n"));
  EXPECT_THAT(to_markdown(two_models()), HasSubstr("- mlp: 64 learners do not fit\n"));
}

TEST(GradientTable, TellsTheMiniBatchAndTheDataOfWhatWasRecordedElsewhere) {
  GradientTable table = two_models();
  table.models[1].data = "images, made";
  table.models[1].at = {{8, {{7.9, 500, 0.98}, {}}, {{1, "cifar10"}}},
                        {64, {{61, 500, 0.99}, {}}, {{16, "cifar10"}}}};
  EXPECT_THAT(to_markdown(table),
              HasSubstr("| vgg16 | 138357544 | 1 | - | 8 | 7.9 / 500 / 0.980 | - / - / - |\n"
                        "|  |  | 16 |  | 64 | 61 / 500 / 0.990 | - / - / - |\n"));
  EXPECT_THAT(to_markdown(table), HasSubstr("data: images, made (mlp, vgg16); cifar10 (vgg16)\n"));
  std::swap(table.models[1].at[0], table.models[1].at[1]);  // no pass was taken over such a mini-batch
  EXPECT_THAT(to_markdown(table),
              HasSubstr("| vgg16 | 138357544 | 1 | - | - | - | - |\n|  |  | 16 |  | 64 |"));
  const Json written = table.models[1].to_json();
  EXPECT_EQ(GradientsOfModel::from_json(JsonReader(written, "row.json")).to_json(), written);
}

TEST(GradientTable, FitsATerminal) {
  GradientTable table = two_models();
  table.methods.push_back("scalecom rate=100");
  table.models[0].model = "lstm_characters";
  table.models[0].at[0].learners = 1024;
  for (auto& at : table.models[0].at) at.methods.resize(3, MethodNumbers{107.4, 1234.5, 0.00123});
  const std::string text = to_text(table);
  for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
    EXPECT_LE(text.find('\n', begin) - begin, 100u) << text;
}

TEST(GradientTable, RowsAreReadBackAsTheyWereWritten) {
  for (const GradientsOfModel& model : two_models().models) {
    const Json written = model.to_json();
    EXPECT_EQ(GradientsOfModel::from_json(JsonReader(written, "row.json")).to_json(), written);
  }
  Json broken = two_models().models[0].to_json();
  broken["batch"] = -1;
  EXPECT_THROW(GradientsOfModel::from_json(JsonReader(broken, "row.json")), std::runtime_error);
}

}  // namespace
}  // namespace traincast
