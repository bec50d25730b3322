#include "compressors/low_rank/atomo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "tests/support/codec_harness.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sizes 8, 1, 1 and two atoms: 2·8/10 > 1, so the largest is kept for sure, and one atom is shared among the
// rest.
TEST(Atomo, FillsProbabilitiesUpToTheBudget) {
  EXPECT_THAT(water_filling(std::vector<double>{8, 1, 1}, 2), ElementsAre(1, 0.5, 0.5));
  EXPECT_THAT(clipped_probabilities(std::vector<double>{8, 1, 1}, 2),
              ElementsAre(1, DoubleEq(0.2), DoubleEq(0.2)));
  // 3·4/9 > 1; then 2·3/5 > 1; then 1·1/2 each.
  EXPECT_THAT(water_filling(std::vector<double>{4, 3, 1, 1}, 3), ElementsAre(1, 1, 0.5, 0.5));
  EXPECT_THAT(water_filling(std::vector<double>{4, 0, 0}, 2), ElementsAre(1, 0, 0));
  EXPECT_THAT(water_filling(std::vector<double>{0, 0}, 1), ElementsAre(0, 0));
  EXPECT_THAT(water_filling(std::vector<double>{2, 1}, 5), ElementsAre(1, 1));
  EXPECT_THAT(water_filling(std::vector<double>{}, 1), IsEmpty());
}

// Wang et al. 2018: Σ size²/p is least under Σp = budget, p ≤ 1. No shift of probability between two atoms
// makes it less.
TEST(Atomo, HasTheLeastVarianceOfItsBudget) {
  const std::vector<double> sizes = {9, 5, 4, 2, 1, 0.5};
  auto variance = [&](const std::vector<double>& p) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += sizes[i] * sizes[i] / p[i];
    return sum;
  };
  for (std::uint64_t budget = 1; budget < sizes.size(); ++budget) {
    auto best = water_filling(sizes, budget);
    EXPECT_NEAR(std::accumulate(best.begin(), best.end(), 0.0), static_cast<double>(budget), 1e-12);
    for (std::size_t a = 0; a < sizes.size(); ++a)
      for (std::size_t b = 0; b < sizes.size(); ++b) {
        auto other = best;
        other[a] += 1e-3;
        other[b] -= 1e-3;
        if (a != b && other[a] <= 1 && other[b] > 0) {
          EXPECT_GT(variance(other), variance(best));
        }
      }
  }
}

// p = ½, ½, ¼: sets of two have 1/2·1/2·3/4 : 1/2·1/4·1/2 : the same = 3 : 1 : 1. The draw of place 0 keeps
// it below (3 + 1)/5; with it kept, that of place 1 below 3/4.
TEST(Atomo, DrawsSetsAsLikelyAsRepetitionWould) {
  const std::vector<double> p = {0.5, 0.5, 0.25};
  auto drawn = [&](double first, double second) {
    return draw_exactly(p, 2, std::vector<double>{first, second, 0});
  };
  EXPECT_THAT(drawn(0.799, 0.749), ElementsAre(0u, 1u));
  EXPECT_THAT(drawn(0.799, 0.751), ElementsAre(0u, 2u));
  EXPECT_THAT(drawn(0.801, 0.999), ElementsAre(1u, 2u));
}

TEST(Atomo, DrawsExactlySoManyEvenWhereProbabilitiesAreCertainOrNone) {
  const std::vector<double> uniform(5, 0.5);
  EXPECT_THAT(draw_exactly(std::vector<double>{1, 1, 1}, 2, uniform), ElementsAre(0u, 1u));
  EXPECT_THAT(draw_exactly(std::vector<double>{1, 0, 0}, 2, uniform), ElementsAre(0u, 1u));
  EXPECT_THAT(draw_exactly(std::vector<double>{0, 0}, 1, uniform), ElementsAre(0u));
  EXPECT_EQ(draw_exactly(std::vector<double>{1, 1e-300, 1e-300, 1e-12, 0}, 3, uniform).size(), 3u);
  EXPECT_THAT(draw_exactly(std::vector<double>{}, 0, {}), IsEmpty());
}

// diag(3, 1): p = 1·3/4 and 1/4. Draws of 0 keep both: 3/(3/4) = 4 and 1/(1/4) = 4.
TEST(Atomo, ScalesAtomsByTheirProbability) {
  const Vector matrix = {3, 0, 0, 1};
  EXPECT_THAT(CodecRun(R"({"name": "atomo", "rank": 1})", one_tensor({2, 2}), {0}).sent(matrix),
              ::testing::Pointwise(::testing::FloatNear(1e-5f), Vector{4, 0, 0, 4}));
  EXPECT_THAT(CodecRun(R"({"name": "atomo", "rank": 1})", one_tensor({2, 2}), {0.5}).sent(matrix),
              ::testing::Pointwise(::testing::FloatNear(1e-5f), Vector{4, 0, 0, 0}));
  EXPECT_EQ(CodecRun(R"({"name": "atomo", "rank": 1})", one_tensor({2, 2}), {0.9}).encode(matrix).size(), 0u);
}

// r(a + b + 1) floats of every tensor, seen as a matrix: 1,235,042 for ResNet-18 at rank 2, 113.07 MiB in the
// 24 steps of an epoch, where PowerSGD's paper prints 113 MB.
TEST(Atomo, SendsThePublishedVolumeOfResNet18) {
  std::map<std::vector<std::int64_t>, std::uint64_t> layers;
  for (const TensorInfo& layer : resnet18_layers()) ++layers[layer.shape];
  std::uint64_t bytes = 0;
  Vector ramp;
  for (const auto& [shape, count] : layers) {
    const Bucket unit = one_tensor(shape);
    CodecRun run(R"({"name": "atomo", "rank": 2, "atoms": "exactly"})", unit, {0.5});
    ramp.resize(unit.numel());
    std::iota(ramp.begin(), ramp.end(), 1.0f);
    bytes += count * run.encode(ramp).size();
  }
  EXPECT_EQ(bytes, 4 * 1235042u);
  EXPECT_NEAR(24.0 * static_cast<double>(bytes) / (1 << 20), 113.07, 0.005);
}

TEST(Atomo, KeepsWholeExtentsWhereAHalfIsNone) {
  // 3·3 rows of a 3 × 3 × 5 kernel cannot be halved: 9 × 5; a vector of 7 is 7 × 1.
  const char* json = R"({"name": "atomo", "rank": 1, "atoms": "exactly"})";
  EXPECT_EQ(CodecRun(json, one_tensor({3, 3, 5}), {0}).encode(Vector(45, 1.0f)).size(), 4 * (9 + 5 + 1u));
  EXPECT_EQ(CodecRun(json, one_tensor({7}), {0}).encode(Vector(7, 1.0f)).size(), 4 * (7 + 1 + 1u));
  EXPECT_EQ(CodecRun(json, one_tensor({6}), {0}).encode(Vector(6, 1.0f)).size(), 4 * (3 + 2 + 1u));
}

TEST(Atomo, RefusesMessagesOfPartsOfAtoms) {
  CodecRun run(R"({"name": "atomo", "rank": 1})", one_tensor({2, 2}), {0});
  Message message = run.encode({3, 0, 0, 1});
  message.push_back(std::byte{0});
  EXPECT_THROW(run.decode(message), InputError);
  message.resize(3 * 4 * 5);  // three atoms, of two that there are
  EXPECT_THROW(run.decode(message), InputError);
}

TEST(Atomo, StatesItsWorkByTheMatrix) {
  UnitRun run(R"({"name": "atomo", "rank": 2})", 3, one_tensor({4, 6, 3, 3}));
  auto phases = run.step(random_gradients(3, 216)).phases;
  ASSERT_EQ(phases[0].work.size(), 1u);
  EXPECT_EQ(phases[0].work[0].primitive, Primitive::svd);
  EXPECT_EQ(phases[0].work[0].sizes, (std::array<std::uint64_t, 3>{12, 18, 0}));
  EXPECT_EQ(phases[1].work[0].count, 3u);
}

}  // namespace
}  // namespace traincast
