#include "base/units.hpp"

#include <gtest/gtest.h>

namespace traincast {
namespace {

TEST(Units, TellBitsFromBytes) {
  EXPECT_EQ(parse_quantity("100Gbps", Unit::bandwidth), 12.5e9);
  EXPECT_EQ(parse_quantity("12.5GBps", Unit::bandwidth), 12.5e9);
}

TEST(Units, TellPowersOfTenFromPowersOfTwo) {
  EXPECT_EQ(parse_quantity("1MB", Unit::bytes), 1e6);
  EXPECT_EQ(parse_quantity("25MiB", Unit::bytes), 26214400.0);
  EXPECT_EQ(parse_quantity("512 B", Unit::bytes), 512.0);
}

TEST(Units, RefuseWhatHasNoUnitOrAnotherKindOfUnit) {
  for (const char* text : {"100", "100G", "100GB", "Gbps", "", "nanGbps", "1e999Gbps", "10 Gbps x"})
    EXPECT_FALSE(parse_quantity(text, Unit::bandwidth)) << text;
  EXPECT_FALSE(parse_quantity("5m", Unit::duration));
}

TEST(Units, AreShownWithThreeDigits) {
  EXPECT_EQ(format_bytes(1.5e6), "1.5 MB");
  EXPECT_EQ(format_bytes(999.7), "1 kB");
  EXPECT_EQ(format_seconds(0.0123456), "12.3 ms");
  EXPECT_EQ(format_seconds(5e-6), "5 us");
  EXPECT_EQ(format_seconds(2.5), "2.5 s");
  EXPECT_EQ(format_bandwidth(12.5e9), "100 Gb/s");
}

}  // namespace
}  // namespace traincast
