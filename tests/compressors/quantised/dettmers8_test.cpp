#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "compressors/quantised/dettmers8.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

// One middle of 0.1 … 1 times 10^−6, two times 10^−5, … 64 times 1; both signs; zero and one.
TEST(Dettmers8, HasTheNumbersOfTheDynamicTree) {
  auto numbers = dynamic_tree();
  ASSERT_EQ(numbers.size(), 256u);
  EXPECT_EQ(std::set<float>(numbers.begin(), numbers.end()).size(), 256u);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(numbers.back(), 1);
  EXPECT_NEAR(numbers.front(), -(1 - 0.9 / 128), 1e-7);
  EXPECT_EQ(numbers[127], 0);
  EXPECT_NEAR(numbers[128], 0.55e-6, 1e-12);
  EXPECT_EQ(std::count_if(numbers.begin(), numbers.end(), [](float x) { return x > 0.1f && x < 1; }), 64);
}

// Of a vector with every number, the middles between neighbours and the floats beside those; 1 is the
// largest.
TEST(Dettmers8, RoundsAtTheMiddleBetweenNumbers) {
  auto numbers = dynamic_tree();
  Vector values;
  std::vector<int> codes;
  for (std::size_t c = 0; c < 256; ++c) {
    values.push_back(numbers[c]);
    codes.push_back(static_cast<int>(c));
    if (c == 255) break;
    const float middle = numbers[c] + (numbers[c + 1] - numbers[c]) / 2;
    for (float value : {std::nextafter(middle, -2.0f), middle, std::nextafter(middle, 2.0f)}) {
      values.push_back(value);
      codes.push_back(static_cast<int>(c + (value - numbers[c] <= numbers[c + 1] - value ? 0 : 1)));
    }
  }
  CodecRun codec(R"({"name": "dettmers8"})", one_tensor({static_cast<std::int64_t>(values.size())}));
  auto bytes = bytes_of(codec.encode(values));
  bytes.erase(bytes.begin(), bytes.begin() + 4);
  EXPECT_EQ(bytes, codes);
}

TEST(Dettmers8, TakesTheNearestNumber) {
  CodecRun codec(R"({"name": "dettmers8"})");
  auto sent = codec.sent(kGolden);
  for (std::size_t i = 0; i < 8; ++i) {
    float best = 100;
    for (float number : dynamic_tree()) best = std::min(best, std::fabs(3 * number - kGolden[i]));
    EXPECT_NEAR(std::fabs(sent[i] - kGolden[i]), best, 1e-6);
  }
  EXPECT_EQ(codec.encode(kGolden).size(), 12u);
  EXPECT_EQ(CodecRun(R"({"name": "dettmers8", "block": 3})").encode(kGolden).size(), 3 * 4 + 8u);
}

}  // namespace
}  // namespace traincast
