#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "compressors/kernels/kernels.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast::testing {
namespace {

using ::testing::ElementsAre;

const std::size_t kSizes[] = {0, 1, 3, 7, 8, 31, 32, 33, 63, 64, 65, 1023, 4099};

std::vector<const Kernels*> forms() {
  std::vector<const Kernels*> all = {portable_kernels()};
  if (avx2_kernels()) all.push_back(avx2_kernels());
  return all;
}

Vector values_of(std::size_t size) {
  Vector values = random_gradients(1, size, 3)[0];
  if (size > 2) values[2] = -0.0f;  // counts as positive
  return values;
}

TEST(Kernels, PackTheSignsOfThePlainLoop) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    const std::size_t columns = (size + 31) / 32;
    std::vector<std::uint32_t> words(columns, 0), rows(columns, 0);
    for (std::size_t i = 0; i < size; ++i) {
      if (!(x[i] < 0)) continue;
      words[i / 32] |= 0x80000000u >> (i % 32);
      rows[i % columns] |= 0x80000000u >> (i / columns);
    }
    for (const Kernels* kernel : forms()) {
      std::vector<std::uint32_t> seen(columns, 0xffffffff);
      kernel->negatives(x.data(), size, seen.data());
      EXPECT_EQ(seen, words) << size;
      std::fill(seen.begin(), seen.end(), 0xffffffff);
      kernel->negatives_by_row(x.data(), size, seen.data());
      EXPECT_EQ(seen, rows) << size;
    }
  }
}

TEST(Kernels, SumInEightLanesToTheBit) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    double magnitudes[8] = {}, squares[8] = {}, sums[8] = {};
    for (std::size_t i = 0; i < size; ++i) {
      auto value = static_cast<double>(x[i]);
      magnitudes[i % 8] += std::fabs(value);
      squares[i % 8] += value * value;
      sums[i % 8] += value;
    }
    auto total = [](const double* l) {
      return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
    };
    for (const Kernels* kernel : forms()) {
      EXPECT_EQ(kernel->sum_of_magnitudes(x.data(), size), total(magnitudes));
      EXPECT_EQ(kernel->sum_of_squares(x.data(), size), total(squares));
      EXPECT_EQ(kernel->sum(x.data(), size), total(sums));
    }
  }
}

TEST(Kernels, FindRangesAndMagnitudes) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    float least = size > 0 ? x[0] : 0, largest = least, magnitude = 0;
    for (float value : x) {
      least = std::min(least, value);
      largest = std::max(largest, value);
      magnitude = std::max(magnitude, std::fabs(value));
    }
    for (const Kernels* kernel : forms()) {
      float low = 9, high = 9;
      kernel->range(x.data(), size, &low, &high);
      EXPECT_EQ(low, least);
      EXPECT_EQ(high, largest);
      EXPECT_EQ(kernel->largest_magnitude(x.data(), size), magnitude);
    }
  }
}

// Against butterflies stride by stride, to the bit: every form adds the same pairs in the same order.
TEST(Kernels, TransformAsThePlainButterfliesDo) {
  for (std::size_t size = 1; size <= 1 << 16; size *= 2) {
    Vector plain = values_of(size);
    const Vector x = plain;
    for (std::size_t stride = 1; stride < size; stride *= 2)
      for (std::size_t i = 0; i < size; ++i)
        if ((i & stride) == 0) {
          float a = plain[i], b = plain[i + stride];
          plain[i] = a + b;
          plain[i + stride] = a - b;
        }
    for (const Kernels* kernel : forms()) {
      Vector seen = x;
      kernel->walsh_hadamard(seen.data(), size);
      EXPECT_EQ(seen, plain) << size;
    }
  }
}

TEST(Kernels, DrawTheSameNumbersInEveryForm) {
  std::vector<std::uint32_t> one(1000), other(1000);
  portable_kernels()->draws(77, 0x1234567, 0x89abcdef, one.data(), one.size());
  for (const Kernels* kernel : forms()) {
    kernel->draws(77, 0x1234567, 0x89abcdef, other.data(), other.size());
    EXPECT_EQ(one, other);
  }
}

}  // namespace
}  // namespace traincast::testing
