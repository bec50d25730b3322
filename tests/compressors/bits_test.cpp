#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/bits.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Bits, LowFieldsComeBack) {
  Message message;
  LowBitWriter writer(message);
  for (std::uint32_t i = 0; i < 100; ++i) writer.put(i % (1u << (1 + i % 31)), 1 + i % 31);
  writer.put(0xffffffff, 32);
  writer.finish();
  LowBitReader reader(message);
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(reader.get(1 + i % 31), i % (1u << (1 + i % 31)));
  EXPECT_EQ(reader.get(32), 0xffffffff);
  EXPECT_TRUE(reader.filled_with_zeros());
}

// The lengths of Elias's delta codes (1975, table II).
TEST(Bits, DeltaCodesHaveTheirLengths) {
  const std::pair<std::uint32_t, unsigned> lengths[] = {{1, 1},  {2, 4},   {3, 4},    {4, 5},
                                                        {7, 5},  {8, 8},   {15, 8},   {16, 9},
                                                        {17, 9}, {32, 10}, {100, 11}, {1000, 16}};
  for (auto [number, length] : lengths) {
    WordBitWriter writer;
    writer.put_delta(number);
    EXPECT_EQ(writer.bits(), length) << number;
    EXPECT_EQ(delta_bits(number), length) << number;
  }
}

TEST(Bits, DeltaCodesComeBack) {
  WordBitWriter writer;
  std::vector<std::uint32_t> numbers = {1, 2, 3, 65535, 65536, 1u << 31, 0xffffffff, 5};
  for (std::uint32_t number : numbers) writer.put_delta(number);
  WordBitReader reader("test", writer.words(), writer.bits());
  for (std::uint32_t number : numbers) EXPECT_EQ(reader.get_delta(), number);
  EXPECT_TRUE(reader.at_end());
  EXPECT_THROW(reader.get(1), InputError);
}

TEST(Bits, RefusesWhatIsNoDeltaCode) {
  const std::uint32_t zeros[] = {0, 0};
  EXPECT_THROW(WordBitReader("test", zeros, 64).get_delta(), InputError);
  EXPECT_THROW(WordBitReader("test", zeros, 65), InputError);
}

}  // namespace
}  // namespace traincast
