#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(RandomBlock, SendsOneRunThatMayGoAroundTheEnd) {
  bool around = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    UnitRun run(R"({"name": "random_block", "density": 0.5})", 1, one_tensor({8}), ErrorRule{}, seed);
    auto average = run.step({Vector(8, 1)}).average;
    int borders = 0, sent = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      sent += average[i] == 1;
      borders += average[i] != average[(i + 1) % 8];
    }
    EXPECT_EQ(sent, 4);
    EXPECT_EQ(borders, 2) << "one run on the circle";
    around = around || (average[0] == 1 && average[7] == 1);
  }
  EXPECT_TRUE(around);
}

TEST(RandomBlock, SendsFourBytesAnEntry) {
  UnitRun run(R"({"name": "random_block", "density": 0.01})", 16, one_tensor({1000}));
  auto result = run.step(random_gradients(16, 1000));
  EXPECT_EQ(result.phases[0].op->count, 10u);
  EXPECT_EQ(result.phases[0].op->element, Element::fp32);
}

}  // namespace
}  // namespace traincast
