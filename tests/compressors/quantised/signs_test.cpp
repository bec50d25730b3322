#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressors/quantised/signs.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Signs, StandAsBytePsAndMajorityVoteHaveThem) {
  Message words, rows, bytes;
  append_signs(words, kGolden, SignLayout::words);
  append_signs(rows, kGolden, SignLayout::rows);
  append_signs(bytes, kGolden, SignLayout::bytes);
  // Negative at places 1, 3 and 6, the first in the highest bit; with one column the rows stand alike.
  EXPECT_EQ(word_at(words, 0), 0x52000000u);
  EXPECT_EQ(word_at(rows, 0), 0x52000000u);
  EXPECT_THAT(bytes_of(bytes), ElementsAre(1, 255, 1, 255, 0, 1, 255, 1));
  Message mask;
  append_signs(mask, kGolden, SignLayout::mask);
  EXPECT_THAT(bytes_of(mask), ElementsAre(1, 255, 1, 255, 1, 1, 255, 1));
  Vector seen(8);
  EXPECT_THROW(read_signs("test", bytes, 8, SignLayout::mask, 0, seen), InputError) << "zero is no such sign";
}

TEST(Signs, RowsHoldEveryColumnthElement) {
  Vector values(40, 1);  // two columns
  values[1] = -1;        // row 0, column 1
  values[4] = -1;        // row 2, column 0
  Message message;
  append_signs(message, values, SignLayout::rows);
  EXPECT_EQ(word_at(message, 4), 0x80000000u);
  EXPECT_EQ(word_at(message, 0), 0x20000000u);
  Vector seen(40);
  check_signs("test", message, 40, SignLayout::rows);
  read_signs("test", message, 40, SignLayout::rows, 0, seen);
  EXPECT_EQ(seen, values);
}

}  // namespace
}  // namespace traincast
