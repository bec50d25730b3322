#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::Pointwise;

/// Floats of each collective of a bucket, in order; of several units joined as in a run.
std::vector<std::uint64_t> floats_of(const std::vector<Phase>& phases) {
  std::vector<std::uint64_t> floats;
  for (const Phase& phase : phases)
    if (phase.op) floats.push_back(phase.op->count);
  return floats;
}

// The paper's worked example: Q starts as (1, 0), which is orthogonal already.
TEST(PowerSgdHook, LetsMemoriesDriftApart) {
  UnitRun run(R"({"name": "powersgd_hook", "min_compression_rate": 0.5})", 2, one_tensor({2, 2}));
  Writer state;
  state.put<std::uint64_t>(0);
  for (int learner = 0; learner < 2; ++learner) state.put_all(std::span<const float>(Vector(4, 0.0f)));
  state.put_all(std::span<const float>(Vector{1, 0}));
  run.load(state.bytes());
  for (int t = 1; t <= 3; ++t) {
    auto time = static_cast<float>(t);
    expect_near(run.step({{1, 2, 3, 4}, {1, 0, 1, 0}}).average, {1, 1, 2, 2});
    expect_near(run.memory(0), {0, time, time, 2 * time});
    expect_near(run.memory(1), {0, -time, -time, -2 * time});
  }
}

// The hook remembers the whole bucket less its average, the paper's code only what it compresses.
TEST(PowerSgdHook, RemembersVectorsToo) {
  Vectors gradients = {{1, 2}, {3, -2}};
  UnitRun hook(R"({"name": "powersgd_hook"})", 2, one_tensor({2}));
  UnitRun paper(R"({"name": "powersgd", "rank": 1})", 2, one_tensor({2}));
  for (int t = 1; t <= 3; ++t) {
    auto time = static_cast<float>(t);
    EXPECT_THAT(hook.step(gradients).average, ElementsAre(2, 0));
    EXPECT_THAT(hook.memory(0), ElementsAre(-time, 2 * time));
    EXPECT_THAT(hook.memory(1), ElementsAre(time, -2 * time));
    paper.step(gradients);
    EXPECT_THAT(paper.memory(0), ElementsAre(0, 0));
  }
}

TEST(PowerSgdHook, SendsThreeCollectivesOneAfterTheOther) {
  Bucket bucket{
      0, {{0, "w", {8, 4, 2}, "conv.weight"}, {1, "b", {8}, "bias"}, {2, "v", {8, 8}, "linear.weight"}}};
  UnitRun run(R"({"name": "powersgd_hook", "batch_tensors_with_same_shape": true})", 2, bucket);
  auto result = run.step(random_gradients(2, bucket.numel()));
  EXPECT_THAT(floats_of(result.phases), ElementsAre(8, 16, 16));
  for (const Phase& phase : result.phases)
    if (phase.op) {
      EXPECT_TRUE(phase.op->waits);
    }
}

// (n + m)·r·rate < n·m: 6·1·2 is not below 9; 8·1·2 not below 16; 9·1·2 is below 20.
TEST(PowerSgdHook, SendsWholeWhatItWouldNotShrinkEnough) {
  for (auto [n, m, compressed] :
       {std::tuple{3, 3, false}, {4, 4, false}, {4, 5, true}, {5, 5, true}, {4, 9, true}}) {
    UnitRun run(R"({"name": "powersgd_hook"})", 1, one_tensor({n, m}));
    auto floats = floats_of(run.step(random_gradients(1, static_cast<std::uint64_t>(n * m))).phases);
    if (compressed)
      EXPECT_THAT(floats, ElementsAre(n, m));
    else
      EXPECT_THAT(floats, ElementsAre(n * m));
  }
}

TEST(PowerSgdHook, StartsWithWholeGradients) {
  UnitRun run(R"({"name": "powersgd_hook", "start_powersgd_iter": 2})", 2, one_tensor({6, 7}));
  for (std::uint64_t t = 0; t < 4; ++t) {
    auto gradients = random_gradients(2, 42, t);
    auto result = run.step(gradients);
    EXPECT_EQ(summed_elements(result.phases), t < 2 ? 42u : 13u);
    for (std::size_t i = 0; i < 42; ++i)
      if (t < 2) {
        EXPECT_FLOAT_EQ(result.average[i], (gradients[0][i] + gradients[1][i]) / 2);
        EXPECT_EQ(run.memory(0)[i], 0);
      }
  }
}

// The batched hook too: 2 × 3 elements are a square of 3 × 3, whose P and Q have 3 floats each.
TEST(PowerSgdBatched, StartsWithWholeGradients) {
  UnitRun run(R"({"name": "powersgd_batched", "start_powersgd_iter": 2})", 2, one_tensor({2, 3}));
  for (std::uint64_t t = 0; t < 4; ++t)
    EXPECT_THAT(floats_of(run.step(random_gradients(2, 6, t)).phases),
                t < 2 ? ElementsAreArray({6u}) : ElementsAreArray({3u, 3u}));
}

// Warm steps are a power iteration, to the larger of the singular values 3 and 2; cold ones draw Q anew.
TEST(PowerSgdHook, StartsFromTheFactorOfTheStepBeforeWhereWarm) {
  const Vectors g = {{3, 0, 0, 2}};
  for (const std::string method :
       {R"({"name": "powersgd_hook", "min_compression_rate": 0.5)", R"({"name": "powersgd_batched")"}) {
    UnitRun warm(method + "}", 1, one_tensor({2, 2}), ErrorRule{});
    UnitRun cold(method + R"(, "warm_start": false})", 1, one_tensor({2, 2}), ErrorRule{});
    EXPECT_EQ(warm.step(g).average, cold.step(g).average) << "both start from the draw of step 0";
    for (int step = 0; step < 40; ++step) warm.step(g);
    expect_near(warm.step(g).average, {3, 0, 0, 0});
    EXPECT_NE(cold.step(g).average, cold.step(g).average);
  }
}

// With 1 added to norms Q = (1, 0) becomes ½, P of ½ becomes ½/(½ + 1) = ⅓, Q = ⅓, and ⅓ · ⅓ is applied.
TEST(PowerSgdHook, AddsItsEpsilonToNorms) {
  for (const std::string method :
       {R"({"name": "powersgd_hook", "min_compression_rate": 0.5)", R"({"name": "powersgd_batched")"})
    for (auto [epsilon, applied] : {std::pair{"0", 1.0f}, {"1", 1.0f / 9}}) {
      UnitRun run(method + R"(, "orthogonalization_epsilon": )" + epsilon + "}", 1, one_tensor({2, 2}),
                  ErrorRule{});
      Writer state;
      state.put<std::uint64_t>(0);
      state.put_all(std::span<const float>(Vector{1, 0}));
      run.load(state.bytes());
      expect_near(run.step({{1, 0, 0, 0}}).average, {applied, 0, 0, 0});
    }
}

// QR and Gram–Schmidt, Q orthogonal or not, span the same: what comes out differs by rounding only.
TEST(PowerSgdHook, AppliesWhatThePapersCodeApplies) {
  for (int rank : {1, 2, 3, 5}) {
    std::string r = std::to_string(rank);
    UnitRun hook(
        R"({"name": "powersgd_hook", "min_compression_rate": 0.1, "matrix_approximation_rank": )" + r + "}",
        3, one_tensor({12, 9}));
    UnitRun paper(R"({"name": "powersgd", "rank": )" + r + "}", 3, one_tensor({12, 9}));
    for (std::uint64_t t = 0; t < 5; ++t) {
      auto gradients = random_gradients(3, 108, t);
      auto a = hook.step(gradients).average, b = paper.step(gradients).average;
      EXPECT_THAT(a, Pointwise(FloatNear(2e-4f), b)) << "rank " << rank << " step " << t;
    }
  }
}

TEST(PowerSgdHook, OrthogonalisesByReflectionsAboveRankTwo) {
  auto launches = [](const char* rank, const char* batched) {
    Bucket bucket{0, {}};
    for (std::uint32_t id = 0; id < 5; ++id)
      bucket.tensors.push_back(
          {id, "w", id < 3 ? std::vector<std::int64_t>{40, 30} : std::vector<std::int64_t>{20, 50},
           "linear.weight"});
    UnitRun run(
        std::string(
            R"({"name": "powersgd_hook", "min_compression_rate": 1, "batch_tensors_with_same_shape": )") +
            batched + R"(, "matrix_approximation_rank": )" + rank + "}",
        2, bucket);
    std::map<Primitive, std::uint32_t> counts;
    for (const Phase& phase : run.step(random_gradients(2, bucket.numel())).phases)
      for (const Work& work : phase.work) counts[work.primitive] += work.count;
    return counts;
  };
  // Batched for one bucket, where five matrices have two shapes; each orthogonalised on both sides.
  EXPECT_EQ(launches("2", "true").at(Primitive::gram_schmidt), 4u);
  EXPECT_EQ(launches("3", "true").at(Primitive::qr), 4u);
  EXPECT_FALSE(launches("3", "true").contains(Primitive::gram_schmidt));
  EXPECT_EQ(launches("3", "true").at(Primitive::gemm), 6u);
}

// Derived for the hook's rule on ResNet-18: at rank 7 the classifier (10 × 512) would gain 1.4, and travels
// whole.
TEST(PowerSgdHook, SendsThePublishedFloatsForResNet18) {
  for (auto [rank, rate] : {std::pair{1, 243.256}, {2, 135.837}, {4, 72.132}, {7, 42.110}}) {
    std::vector<std::vector<Phase>> units;
    for (const TensorInfo& layer : resnet18_layers()) {
      UnitRun run(R"({"name": "powersgd_hook", "matrix_approximation_rank": )" + std::to_string(rank) + "}",
                  1, {layer.id, {layer}}, ErrorRule{});
      units.push_back(run.step(Vectors(1, Vector(layer.numel()))).phases);
    }
    auto floats = static_cast<double>(summed_elements(fuse(units).phases));
    EXPECT_NEAR(11173962.0 / floats, rate, 0.0005) << "rank " << rank;
  }
}

TEST(PowerSgdBatched, TakesTheBucketAsASquare) {
  // 11,173,962 elements fill 3343² = 11,175,649; (P, Q) of rank 1 are 6,686 floats: a rate of 1671.
  Bucket model{0, resnet18_layers()};
  UnitRun run(R"({"name": "powersgd_batched"})", 1, model, ErrorRule{});
  auto floats = floats_of(run.step(Vectors(1, Vector(model.numel(), 0.5f))).phases);
  EXPECT_THAT(floats, ElementsAre(3343, 3343));
  for (auto [numel, side] : {std::pair{1, 1}, {2, 2}, {4, 2}, {5, 3}, {9, 3}, {10, 4}}) {
    UnitRun small(R"({"name": "powersgd_batched"})", 1, one_tensor({numel}));
    EXPECT_THAT(floats_of(small.step(random_gradients(1, static_cast<std::uint64_t>(numel))).phases),
                ElementsAre(side, side));
  }
}

TEST(PowerSgdBatched, IsExactWhereTheSquareHasItsRank) {
  // (1, 2, 3 | 2, 4, 6 | 3, 6, 0 of padding) has rank 2 with the padding, and rank 2 is asked for.
  Bucket bucket{0, {{0, "w", {2, 3}, "linear.weight"}, {1, "b", {2}, "bias"}}};
  UnitRun run(R"({"name": "powersgd_batched", "matrix_approximation_rank": 2})", 2, bucket, ErrorRule{});
  Vector g = {1, 2, 3, 2, 4, 6, 3, 6};
  expect_near(run.step({g, g}).average, g);
}

}  // namespace
}  // namespace traincast
