#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compressors/sparse/sidco.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Sidco, FitsItsThresholds) {
  EXPECT_NEAR(sidco_threshold(kGolden, 0.25, Sparsity::exponential, 1), 1.45127691, 1e-7);
  EXPECT_NEAR(sidco_threshold(kGolden, 0.125, Sparsity::exponential, 1), 2.17691536, 1e-7);
  EXPECT_NEAR(sidco_threshold(kGolden, 0.25, Sparsity::pareto, 1), 1.44727367, 1e-7);
  // Of |g| / ‖g‖₂: the exponential's threshold, and the two parameters of the Pareto distribution.
  constexpr double kNormOfGolden = 4.071624368725582, kAlpha = .25482835, kShape = -.00889285;
  EXPECT_NEAR(sidco_threshold(kGolden, 0.25, Sparsity::exponential, 1) / kNormOfGolden, .35643684, 1e-7);
  for (double density : {0.9, 0.5, 0.25, 0.1, 0.01, 0.0001})
    EXPECT_NEAR(sidco_threshold(kGolden, density, Sparsity::pareto, 1) / kNormOfGolden,
                kAlpha / kShape * (1 - std::exp(kShape * std::log(density))), 1e-6);
}

TEST(Sidco, SendsWhatExceedsThem) {
  UnitRun quarter(R"({"name": "sidco", "density": 0.25})", 1, one_tensor({8}));
  EXPECT_THAT(quarter.step({kGolden}).average, ElementsAre(0, 0, 2, 0, 0, 1.5f, -3, 0));
  UnitRun eighth(R"({"name": "sidco", "density": 0.125})", 1, one_tensor({8}));
  EXPECT_THAT(eighth.step({kGolden}).average, ElementsAre(0, 0, 0, 0, 0, 0, -3, 0));
}

// |N(0, 1)| is no exponential: at 0.1 % one fit is far off, further ones to the tail come near.
TEST(Sidco, ComesNearerWithMoreStages) {
  auto gradient = random_gradients(1, 100000)[0];
  auto chosen = [&](Sparsity fit, unsigned stages) {
    double threshold = sidco_threshold(gradient, 0.001, fit, stages);
    return std::count_if(gradient.begin(), gradient.end(),
                         [&](float value) { return std::fabs(static_cast<double>(value)) > threshold; });
  };
  EXPECT_LT(chosen(Sparsity::exponential, 1), 10);
  for (Sparsity fit : {Sparsity::exponential, Sparsity::gamma, Sparsity::pareto}) {
    EXPECT_GT(chosen(fit, 4), 50);
    EXPECT_LT(chosen(fit, 4), 200);
  }
}

// Exact exponential magnitudes (quantiles): one stage is right.
TEST(Sidco, MatchesTheDistributionThatItFits) {
  Vector values;
  for (int i = 0; i < 20000; ++i) values.push_back(static_cast<float>(-std::log((i + 0.5) / 20000)));
  for (Sparsity fit : {Sparsity::exponential, Sparsity::gamma, Sparsity::pareto})
    EXPECT_NEAR(sidco_threshold(values, 0.01, fit, 1), -std::log(0.01), 0.05);
}

// Half of the values are zeros, which a gamma distribution has none of; the rest is exponential.
TEST(Sidco, FitsAGammaDistributionToWhatIsNotZero) {
  Vector values(20000, 0.0f);
  for (int i = 0; i < 10000; ++i)
    values[static_cast<std::size_t>(2 * i)] = static_cast<float>(-std::log((i + 0.5) / 10000));
  for (unsigned stages : {1u, 3u})
    EXPECT_NEAR(sidco_threshold(values, 0.01, Sparsity::gamma, stages), -std::log(0.02), 0.1) << stages;
  EXPECT_EQ(sidco_threshold(values, 0.6, Sparsity::gamma, 1), 0) << "there are no more than a half";
  EXPECT_EQ(sidco_threshold(Vector(5), 0.1, Sparsity::gamma, 2), 0);
}

// One stage chooses too few of a normal vector; after five steps there is one more.
TEST(Sidco, AddsAStageWhereTooLittleIsChosen) {
  auto gradient = random_gradients(1, 20000);
  UnitRun run(R"({"name": "sidco", "density": 0.005})", 1, one_tensor({20000}), ErrorRule{});
  std::vector<Bytes> sizes;
  for (int step = 0; step < 6; ++step) sizes.push_back(run.step(gradient).phases[0].op->bytes[0] / 8);
  EXPECT_LT(sizes[4], 80u);
  EXPECT_GT(sizes[5], sizes[4]);
  UnitRun still(R"({"name": "sidco", "density": 0.005, "adapt": false})", 1, one_tensor({20000}),
                ErrorRule{});
  for (int step = 0; step < 6; ++step)
    EXPECT_EQ(still.step(gradient).phases[0].op->bytes[0] / 8, sizes[0]) << "without 'adapt'";
}

}  // namespace
}  // namespace traincast
