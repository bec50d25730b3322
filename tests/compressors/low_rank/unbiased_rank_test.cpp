#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

// That its expectation is the gradient is tested with all methods. Published: 3 and 4 MB per epoch of 24
// steps; derived: 2.54 and 4.21 MiB, the mean of a step that sends r·Σn and one that sends r·Σm floats, and
// the 9,610 of the vectors.
TEST(UnbiasedRank, SendsThePublishedFloatsForResNet18) {
  for (auto [rank, floats] : {std::pair{1u, 55545u}, {2u, 91870u}}) {
    std::vector<UnitRun> runs;
    for (const TensorInfo& layer : resnet18_layers())
      runs.emplace_back(R"({"name": "unbiased_rank", "rank": )" + std::to_string(rank) + "}", 1,
                        Bucket{layer.id, {layer}});
    std::uint64_t two_steps = 0;
    for (int step = 0; step < 2; ++step)
      for (std::size_t i = 0; i < runs.size(); ++i)
        two_steps += summed_elements(runs[i].step(Vectors(1, Vector(resnet18_layers()[i].numel()))).phases);
    EXPECT_EQ(two_steps, floats);
  }
}

TEST(UnbiasedRank, RemembersNothing) {
  UnitRun run(R"({"name": "unbiased_rank", "rank": 1})", 2, one_tensor({4, 4}));
  run.step(random_gradients(2, 16));
  EXPECT_TRUE(run.memory(0).empty());
}

}  // namespace
}  // namespace traincast
