#include "base/median.hpp"

#include <gtest/gtest.h>

namespace traincast {
namespace {

TEST(Median, IsTheMiddleOfAnOddNumberAndTheMeanOfTwoOfAnEvenOne) {
  EXPECT_EQ(median({5}), 5);
  EXPECT_EQ(median({9, 1, 2}), 2);
  EXPECT_EQ(median({8, 1, 4, 2}), 3);
  EXPECT_EQ(median({}), 0);
}

}  // namespace
}  // namespace traincast
