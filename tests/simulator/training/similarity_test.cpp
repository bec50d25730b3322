#include "simulator/training/similarity.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "simulator/training/model_method.hpp"
#include "tests/simulator/training/training_helpers.hpp"

namespace traincast {
namespace {

using Vectors = std::vector<std::vector<float>>;

double distance(const Vectors& learners, std::size_t split) {
  std::vector<std::vector<std::span<const float>>> parts(2);
  for (std::span<const float> x : learners) {
    parts[0].push_back(x.first(split));
    parts[1].push_back(x.subspan(split));
  }
  return mean_cosine_distance(parts);
}

TEST(CosineDistance, IsTheMeanOverPairsOfWholeVectors) {
  EXPECT_NEAR(distance({{1, 0, 2}, {2, 0, 4}}, 1), 0, 1e-12) << "length does not count";
  EXPECT_NEAR(distance({{1, 0, 0}, {0, 0, 3}}, 1), 1, 1e-12);
  EXPECT_NEAR(distance({{1, 2, 3}, {-1, -2, -3}}, 2), 2, 1e-12);
  EXPECT_NEAR(distance({{1, 0, 0}, {5, 0, 0}, {0, 0, 1}}, 1), 2.0 / 3, 1e-12);
  Vectors drawn(5, std::vector<float>(40));
  RandomStream random({.seed = 3, .purpose = Purpose::data});
  for (auto& x : drawn)
    for (float& value : x) value = static_cast<float>(random.normal() + 0.5);
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < i; ++j) sum += distance({drawn[i], drawn[j]}, 17);
  EXPECT_NEAR(distance(drawn, 11), sum / 10, 1e-12);
}

TEST(CosineDistance, LeavesOutVectorsWithoutDirection) {
  EXPECT_NEAR(distance({{1, 0}, {0, 0}, {0, 1}}, 1), 1, 1e-12);
  EXPECT_TRUE(std::isnan(distance({{1, 0}, {0, 0}}, 1)));
  EXPECT_TRUE(std::isnan(mean_cosine_distance({})));
}

double selection_distance(const std::vector<std::vector<Index>>& choices) {
  SelectionDistance distance;
  distance.add(choices, std::vector<double>{5, -4, 3, 0, 0});
  return distance.value();
}

TEST(SelectionDistance, IsTheShareThatTrueTopKWouldNotTake) {
  EXPECT_EQ(selection_distance({{1, 0}}), 0);
  EXPECT_EQ(selection_distance({{0, 2}}), 0.5);
  EXPECT_EQ(selection_distance({{3, 4}}), 1);
  EXPECT_EQ(selection_distance({{0}, {2}, {0, 1}}), 0.25) << "one of four entries";
  EXPECT_EQ(selection_distance({{0, 1, 2, 4}}), 0) << "as large as the fourth";
  EXPECT_TRUE(std::isnan(selection_distance({{}, {}})));
}

// Two learners, one tensor of four elements, of which each sends one.
Similarity after_a_step(const std::string& method, const Vectors& gradients) {
  Plan plan = training_plan(R"("learners": 2, "compressor": )" + method);
  const std::vector<TensorInfo> layers{{0, "w", {2, 2}, "linear.weight"}};
  ModelMethod whole(plan.points.front().scenario, layers, 1);
  std::vector<std::span<const float>> vectors(gradients.begin(), gradients.end());
  std::vector<float> average(4);
  Step step;
  step.learning_rate = 0.1;
  whole.aggregate(step, vectors, average);
  return whole.similarity();
}

TEST(ModelMethod, TellsHowAlikeMemoriesAndSelectionsAre) {
  const std::string top = R"({"name": "topk", "density": 0.25})";
  Similarity opposite = after_a_step(top, {{3, 1, 0, 0}, {3, -1, 0, 0}});
  EXPECT_NEAR(opposite.memory_distance, 2, 1e-12);
  EXPECT_EQ(opposite.selection_distance, 0);
  Similarity elsewhere = after_a_step(top, {{3, 1, 0, 0}, {0, 1, 2.5, 0}});  // mean: 1.5, 1, 1.25, 0
  EXPECT_NEAR(elsewhere.memory_distance, 0, 1e-12);
  EXPECT_EQ(elsewhere.selection_distance, 0.5);
  // The first leads: its third entry is not the mean's largest.
  Similarity led = after_a_step(R"({"name": "scalecom", "rate": 4})", {{0, 1, 2.5, 0}, {4, 1, 0, 0}});
  EXPECT_EQ(led.selection_distance, 1);
  EXPECT_NEAR(led.memory_distance, 1 - 1 / std::sqrt(17.0), 1e-7) << "of (0, 1, 0, 0) and (4, 1, 0, 0)";
  Similarity dense = after_a_step(R"("none")", {{3, 1, 0, 0}, {3, -1, 0, 0}});
  EXPECT_TRUE(std::isnan(dense.memory_distance));
  EXPECT_TRUE(std::isnan(dense.selection_distance));
}

TEST(TrainingRun, HasMemoriesBetweenUploadsAndSelectionsInThemOnly) {
  TrainingRun run = QuickTraining{R"("compressor": {"name": "scalecom", "rate": 10}, "steps": 6,
      "training": {"name": "local_sgd", "period": 4, "evaluation_samples": 40, "evaluate_every": 2})"}
                        .run();
  ASSERT_EQ(run.curve.size(), 4u);
  for (std::size_t i : {0, 1}) EXPECT_TRUE(std::isnan(run.curve[i].similarity.memory_distance)) << i;
  EXPECT_GT(run.curve[2].similarity.memory_distance, 0);
  EXPECT_EQ(run.curve[3].similarity.memory_distance, run.curve[2].similarity.memory_distance);
  for (std::size_t i : {0, 1, 3}) EXPECT_TRUE(std::isnan(run.curve[i].similarity.selection_distance)) << i;
  EXPECT_GT(run.curve[2].similarity.selection_distance, 0);
  EXPECT_LT(run.curve[2].similarity.selection_distance, 1);
}

}  // namespace
}  // namespace traincast
