#include "workloads/trace/trace_summary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/random.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/workloads/sample_trace.hpp"

namespace traincast {
namespace {

using Values = std::function<std::vector<float>(std::uint64_t step, LearnerId, const TensorInfo&)>;

void write_trace(const std::string& folder, std::vector<TensorInfo> layers, std::uint32_t learners,
                 std::size_t steps, const Values& values) {
  Manifest m = sample_manifest(learners);
  m.layers = std::move(layers);
  TraceWriter writer(folder, m);
  for (std::uint64_t step = 0; step < steps; ++step) {
    writer.begin_step(step);
    for (LearnerId learner = 0; learner < learners; ++learner)
      for (const TensorInfo& layer : m.layers) writer.write(learner, layer.id, values(step, learner, layer));
    writer.end_step();
  }
  writer.finish({.ready_s = std::vector<double>(m.layers.size())});
}

TEST(TraceSummary, HasTheNumbersOfVectorsThatOneCanCheckByHand) {
  ScratchFolder folder;
  write_trace(folder / "t", {{0, "a", {2, 2}, "x"}, {1, "b", {2}, "x"}, {2, "c", {1}, "x"}}, 2, 1,
              [](std::uint64_t, LearnerId learner, const TensorInfo& layer) -> std::vector<float> {
                if (layer.name == "a")
                  return learner == 0 ? std::vector<float>{3, 4, 0, 0} : std::vector<float>{4, 3, 0, 0};
                if (layer.name == "b")
                  return learner == 0 ? std::vector<float>{0, 0} : std::vector{1.f, -1.f};
                return {0};
              });
  TraceSummary s = summarise(TraceReader(folder / "t", 1), 2);
  EXPECT_DOUBLE_EQ(s.layers[0].norm, 5);
  EXPECT_DOUBLE_EQ(s.layers[0].norm_of_mean, std::sqrt(2 * 3.5 * 3.5));
  EXPECT_DOUBLE_EQ(s.layers[0].density, 0.5);
  EXPECT_DOUBLE_EQ(*s.layers[0].effective_density, 49.0 / (4 * 25));
  EXPECT_DOUBLE_EQ(*s.layers[0].similarity, 24.0 / 25);
  EXPECT_DOUBLE_EQ(s.layers[1].norm, std::sqrt(2.0) / 2);
  EXPECT_DOUBLE_EQ(s.layers[1].norm_of_mean, std::sqrt(2.0) / 2);
  EXPECT_DOUBLE_EQ(s.layers[1].density, 0.5);
  EXPECT_DOUBLE_EQ(*s.layers[1].effective_density, 1);
  EXPECT_FALSE(s.layers[1].similarity) << "one of the two is 0";
  EXPECT_EQ(s.layers[2].norm, 0);
  EXPECT_FALSE(s.layers[2].effective_density);
  EXPECT_DOUBLE_EQ(s.model.norm, (5 + std::sqrt(27.0)) / 2);
  EXPECT_DOUBLE_EQ(s.model.density, (2 + 4) / 14.0);
  EXPECT_DOUBLE_EQ(*s.model.similarity, 24 / (5 * std::sqrt(27.0)));
}

TEST(TraceSummary, HasTheMeanOfAllPairsForAnyNumberOfThreads) {
  ScratchFolder folder;
  const std::vector<TensorInfo> layers{{0, "big", {40000}, "x"}, {1, "small", {7}, "x"}};
  auto values = [](std::uint64_t step, LearnerId learner, const TensorInfo& layer) {
    RandomStream shared({1, Purpose::data, step, 99, layer.id}),
        own({1, Purpose::data, step, learner, layer.id});
    std::vector<float> all(layer.numel());
    for (float& value : all) value = static_cast<float>(shared.normal() + own.normal());
    return all;
  };
  write_trace(folder / "t", layers, 3, 2, values);
  TraceReader trace(folder / "t", 2);
  TraceSummary s = summarise(trace, 1);
  double cosines = 0;
  for (std::uint64_t step : {0, 1})
    for (LearnerId a = 0; a < 3; ++a)
      for (LearnerId b = 0; b < a; ++b) {
        double inner = 0, aa = 0, bb = 0;
        auto x = values(step, a, layers[0]), y = values(step, b, layers[0]);
        for (std::size_t i = 0; i < x.size(); ++i)
          inner += double{x[i]} * y[i], aa += double{x[i]} * x[i], bb += double{y[i]} * y[i];
        cosines += inner / std::sqrt(aa * bb);
      }
  EXPECT_NEAR(*s.layers[0].similarity, cosines / 6, 1e-9);
  EXPECT_NEAR(*s.layers[0].similarity, 0.5, 0.01) << "half of each gradient's power is shared";
  EXPECT_NEAR(*s.layers[0].effective_density, 2 / M_PI, 0.01) << "of normal numbers: E|x|^2 / E x^2";
  for (unsigned threads : {2u, 5u}) {
    TraceSummary other = summarise(trace, threads);
    EXPECT_EQ(other.model.similarity, s.model.similarity);
    EXPECT_EQ(other.layers[0].norm_of_mean, s.layers[0].norm_of_mean);
  }
}

TEST(TraceSummary, OfOneLearnerHasNoSimilarity) {
  ScratchFolder folder;
  write_sample(folder / "t", 1, {0, 3});
  TraceSummary s = summarise(TraceReader(folder / "t", 1), 1);
  EXPECT_FALSE(s.model.similarity);
  EXPECT_DOUBLE_EQ(s.model.norm, s.model.norm_of_mean);
}

}  // namespace
}  // namespace traincast
