#include "compressors/composed/residual.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

// A matrix of rank 1 and one spike: PowerSGD alone smears the spike, the largest entry of what is left
// repairs it.
TEST(Residual, SendsWhatTheLowRankPartLeft) {
  Vector g(12 * 10);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 10; ++j)
      g[i * 10 + j] = static_cast<float>(i + 1) * static_cast<float>(j + 1) * 0.01f;
  g[57] += 50;
  auto error = [&](const char* json) {
    UnitRun run(json, 2, one_tensor({12, 10}), ErrorRule{});
    Vector average = run.step({g, g}).average;
    double square = 0;
    for (std::size_t i = 0; i < g.size(); ++i) square += (average[i] - g[i]) * (average[i] - g[i]);
    return square;
  };
  double low_rank = error(R"({"name": "powersgd", "rank": 1})");
  double both = error(R"({"name": "powersgd_topk", "rank": 1, "density": 0.01})");
  EXPECT_LT(both, low_rank);
  EXPECT_NEAR(error(R"({"name": "powersgd_topk", "rank": 1, "density": 1})"), 0, 1e-6)
      << "all of what is left";
}

TEST(Residual, SendsFactorsThenEntriesAndVectorsOnce) {
  std::vector<std::vector<Phase>> units;
  for (const auto& shape : {std::vector<std::int64_t>{20, 30}, {20}}) {
    UnitRun run(R"({"name": "powersgd_topk", "rank": 2, "density": 0.05})", 2, one_tensor(shape));
    units.push_back(run.step(random_gradients(2, one_tensor(shape).numel())).phases);
  }
  std::vector<Bytes> contributed;
  for (const Phase& phase : fuse(units).phases)
    if (phase.op) contributed.push_back(phase.op->contributed(1));
  // P, the vector, Q; then 30 entries of eight bytes from each of two learners.
  EXPECT_THAT(contributed, ::testing::ElementsAre(4 * 2 * 20, 4 * 20, 4 * 2 * 30, 2 * 30 * 8));
}

}  // namespace
}  // namespace traincast
