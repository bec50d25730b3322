#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/sparse/sparse_message.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

const std::vector<Index> kPlaces = {0, 3, 4, 99};
const Vector kValues = {1, -2, 0.5f, 4};

Bytes size_of_message(IndexCoding index, ValueCoding value, bool known = true) {
  return write_sparse(kPlaces, kValues, 100, {index, value}, known).size();
}

TEST(SparseMessage, HasTheLengthsOfItsCodings) {
  EXPECT_EQ(size_of_message(IndexCoding::int32, ValueCoding::fp32), 4 * 8u);
  EXPECT_EQ(size_of_message(IndexCoding::int64, ValueCoding::fp32), 4 * 12u);
  EXPECT_EQ(size_of_message(IndexCoding::int32, ValueCoding::fp16), 4 * 6u);
  EXPECT_EQ(size_of_message(IndexCoding::bitmap, ValueCoding::fp32), 13 + 16u);
  EXPECT_EQ(size_of_message(IndexCoding::bitmap, ValueCoding::int8), 13 + 4 + 4u);
  EXPECT_EQ(size_of_message(IndexCoding::bitmap, ValueCoding::sign), 13 + 4 + 1u);
  // Gaps 1, 3, 1, 95 take 1 + 4 + 1 + 11 bits, in one word, with the number of words before.
  EXPECT_EQ(size_of_message(IndexCoding::elias, ValueCoding::fp32), 4 + 4 + 16u);
  EXPECT_EQ(size_of_message(IndexCoding::elias, ValueCoding::fp32, false), 4 + 4 + 4 + 16u);
}

TEST(SparseMessage, ComesBackInEveryCoding) {
  for (IndexCoding index : {IndexCoding::int32, IndexCoding::int64, IndexCoding::bitmap, IndexCoding::elias})
    for (ValueCoding value :
         {ValueCoding::fp32, ValueCoding::fp16, ValueCoding::bf16, ValueCoding::int8, ValueCoding::sign})
      for (bool known : {true, false}) {
        SparseFormat format{index, value};
        auto sent = read_sparse(write_sparse(kPlaces, kValues, 100, format, known), 100, format,
                                known ? std::optional<std::uint64_t>(4) : std::nullopt);
        EXPECT_EQ(sent.indices, kPlaces);
        ASSERT_EQ(sent.values.size(), 4u);
        for (std::size_t j = 0; j < 4; ++j) {
          float expected = kValues[j];
          if (value == ValueCoding::int8) expected = std::nearbyint(expected / 4 * 127) / 127 * 4;
          if (value == ValueCoding::sign) expected = expected < 0 ? -1.875f : 1.875f;  // mean magnitude
          EXPECT_NEAR(sent.values[j], expected, 1e-6);
        }
      }
}

}  // namespace
}  // namespace traincast
