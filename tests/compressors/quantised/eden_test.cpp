#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/quantised/eden.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// Max (1960), table I, rounded there to four digits.
TEST(Eden, HasTheBestCentroidsOfNormalNumbers) {
  auto near = [](unsigned bits, Vector expected) {
    auto centroids = normal_centroids(bits);
    ASSERT_EQ(centroids.size(), expected.size());
    for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(centroids[j], expected[j], 6e-4);
  };
  near(1, {0.7980f});
  near(2, {0.4528f, 1.510f});
  near(3, {0.2451f, 0.7560f, 1.344f, 2.152f});
  near(4, {0.1284f, 0.3881f, 0.6568f, 0.9424f, 1.256f, 1.618f, 2.069f, 2.733f});
}

// DRIVE: signs at ‖x‖² / ‖Rx‖₁. Without flips H (1, 1, 1, 1) / 2 is (2, 0, 0, 0): scale 4 / 2.
TEST(Eden, WithOneBitIsDrive) {
  CodecRun codec(R"({"name": "eden"})", one_tensor({4}));
  auto message = codec.encode({1, 1, 1, 1});
  ASSERT_EQ(message.size(), 5u);
  EXPECT_NEAR(float_at(message, 0) * normal_centroids(1)[0], 2, 1e-6);
  EXPECT_THAT(bytes_of(message)[4], 0);
}

// The projection on the vector itself is exact, which makes the scale unbiased; errors fall with the bits as
// those of Max's quantisers, 0.3634, 0.1175, 0.03454 and 0.009497 of the square, over one minus that.
TEST(Eden, ErrsAsMuchAsTheQuantiserOfItsBits) {
  const double distortion[] = {0.3634, 0.1175, 0.03454, 0.009497};
  auto x = random_gradients(1, 8192)[0];
  for (unsigned bits = 1; bits <= 4; ++bits) {
    UnitRun run(R"({"name": "eden", "bits": )" + std::to_string(bits) + "}", 1, one_tensor({8192}));
    auto sent = run.step({x}).average;
    double product = 0, square = 0, error = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      product += static_cast<double>(x[i]) * sent[i];
      square += static_cast<double>(x[i]) * x[i];
      error += std::pow(static_cast<double>(x[i]) - sent[i], 2);
    }
    EXPECT_NEAR(product / square, 1, 1e-4);
    double d = distortion[bits - 1];
    EXPECT_NEAR(error / square, d / (1 - d), 0.1 * d / (1 - d));
  }
}

}  // namespace
}  // namespace traincast
