#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "compressors/draws.hpp"
#include "compressors/kernels/kernels.hpp"
#include "tests/support/codec_harness.hpp"

namespace traincast {
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

TEST(Kernels, ReadTheSignsThatTheyPackedByRow) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    std::vector<std::uint32_t> words((size + 31) / 32);
    portable_kernels()->negatives_by_row(x.data(), size, words.data());
    for (const Kernels* kernel : forms()) {
      Vector seen(size);
      for (unsigned row = 0; row < 32 && row * words.size() < size; ++row)
        kernel->signs_of_row(words.data(), std::min(words.size(), size - row * words.size()), row,
                             seen.data() + row * words.size());
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(seen[i], x[i] < 0 ? -1 : 1) << i << " of " << size;
    }
  }
}

TEST(Kernels, SumInTheirLanesToTheBit) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    double magnitudes[16] = {}, squares[16] = {}, sums[16] = {};
    for (std::size_t i = 0; i < size; ++i) {
      auto value = static_cast<double>(x[i]);
      magnitudes[i % 16] += std::fabs(value);
      squares[i % 16] += value * value;
      sums[i % 16] += value;
    }
    auto total = [](double* lanes) {
      for (int half = 8; half > 0; half /= 2)
        for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
      return lanes[0];
    };
    const double all_magnitudes = total(magnitudes), all_squares = total(squares), all = total(sums);
    for (const Kernels* kernel : forms()) {
      EXPECT_EQ(kernel->sum_of_magnitudes(x.data(), size), all_magnitudes);
      EXPECT_EQ(kernel->sum_of_squares(x.data(), size), all_squares);
      double sum = 0, square = 0;
      float largest = -1;
      kernel->moments(x.data(), size, &sum, &square, &largest);
      EXPECT_EQ(sum, all);
      EXPECT_EQ(square, all_squares);
      EXPECT_EQ(largest, kernel->largest_magnitude(x.data(), size));
    }
  }
}

TEST(Kernels, KnowTheStatisticsOfTheGoldenVector) {
  for (const Kernels* kernel : forms()) {
    double sum = 0, squares = 0;
    float largest = 0;
    kernel->moments(kGolden.data(), 8, &sum, &squares, &largest);
    EXPECT_EQ(sum, -0.125);
    EXPECT_EQ(kernel->sum_of_magnitudes(kGolden.data(), 8), 8.375);
    EXPECT_NEAR(std::sqrt(squares), 4.071624368725582, 1e-15);
    EXPECT_NEAR(std::sqrt(squares / 8), 1.4395366007851274, 1e-15);
    EXPECT_NEAR(std::sqrt(squares / 8 - sum * sum / 64), 1.4394517999485081, 1e-15);
    EXPECT_EQ(largest, 3);
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

TEST(Kernels, CollectThePlacesOfLargeMagnitudes) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    std::vector<std::uint32_t> plain;
    for (std::size_t i = 0; i < size; ++i)
      if (std::fabs(x[i]) >= 1) plain.push_back(static_cast<std::uint32_t>(100 + i));
    for (const Kernels* kernel : forms()) {
      std::vector<std::uint32_t> seen(size);
      seen.resize(kernel->collect(x.data(), size, std::bit_cast<std::int32_t>(1.0f), 100, seen.data()));
      EXPECT_EQ(seen, plain);
      EXPECT_EQ(kernel->count_from(x.data(), size, std::bit_cast<std::int32_t>(1.0f)), plain.size());
    }
  }
}

TEST(Kernels, FindTheLargestOfEveryChunkTheFirstOfEqualOnes) {
  for (std::size_t size : kSizes)
    for (std::size_t chunk : {1u, 3u, 16u, 31u, 100u, 5000u}) {
      Vector x = values_of(size);
      for (std::size_t i = 0; i + 5 < size; i += 7) x[i + 5] = -x[i];
      std::vector<std::uint32_t> plain;
      for (std::size_t begin = 0; begin < size; begin += chunk) {
        std::size_t top = begin;
        for (std::size_t i = begin; i < std::min(size, begin + chunk); ++i)
          if (std::fabs(x[i]) > std::fabs(x[top])) top = i;
        plain.push_back(static_cast<std::uint32_t>(top));
      }
      for (const Kernels* kernel : forms()) {
        std::vector<std::uint32_t> seen(plain.size());
        kernel->largest_by_chunk(x.data(), size, chunk, seen.data());
        EXPECT_EQ(seen, plain) << size << " in chunks of " << chunk;
      }
    }
}

TEST(Kernels, UnpackWhatTheyPacked) {
  for (unsigned bits : {1u, 2u, 4u})
    for (const Kernels* kernel : forms()) {
      std::vector<std::uint8_t> codes(1024), packed(128 * bits), back(1024);
      for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::uint8_t>((i * 7 + i / 9) % (1u << bits));
      kernel->pack(codes.data(), codes.size(), bits, packed.data());
      EXPECT_EQ(packed[0] & ((1u << bits) - 1), codes[0]);
      EXPECT_EQ(packed.back() >> (8 - bits), codes.back());
      kernel->unpack(packed.data(), codes.size(), bits, back.data());
      EXPECT_EQ(back, codes);
    }
}

TEST(Kernels, PutTernaryRowsBesideEachOther) {
  constexpr std::size_t kCount = 77;
  std::vector<std::uint8_t> codes(4 * 100);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = std::array<std::uint8_t, 3>{0, 1, 3}[i * 5 % 3];
  for (const Kernels* kernel : forms()) {
    std::vector<std::uint8_t> packed(kCount);
    kernel->pack_rows(codes.data(), 100, kCount, packed.data());
    Vector values(kCount);
    for (unsigned row = 0; row < 4; ++row) {
      EXPECT_TRUE(kernel->ternary_values(packed.data(), kCount, row, 0.5f, values.data()));
      for (std::size_t i = 0; i < kCount; ++i) {
        auto code = codes[100 * row + i];
        EXPECT_EQ((packed[i] >> (2 * row)) & 3, code);
        EXPECT_EQ(values[i], code == 3 ? -0.5f : 0.5f * code);
      }
    }
    packed[kCount - 1] |= 2 << 4;
    packed[kCount - 1] &= static_cast<std::uint8_t>(~(1 << 4));
    EXPECT_FALSE(kernel->ternary_values(packed.data(), kCount, 2, 0.5f, values.data())) << "a code of 2";
  }
}

TEST(Kernels, RoundToAGridAsThePlainLoopDoes) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    std::vector<std::uint32_t> draws(size);
    KeyedDraws({.seed = size}).fill(0, draws);
    for (const Kernels* kernel : forms())
      for (float step : {0.3f, 0.0f}) {
        std::vector<std::uint8_t> nearest(size), drawn(size);
        kernel->grid(x.data(), nullptr, size, -1.5f, step, 7, nearest.data());
        kernel->grid(x.data(), draws.data(), size, -1.5f, step, 7, drawn.data());
        for (std::size_t i = 0; i < size; ++i) {
          float level = step > 0 ? std::clamp((x[i] + 1.5f) / step, 0.0f, 7.0f) : 0;
          int whole = static_cast<int>(level);
          EXPECT_EQ(nearest[i], static_cast<int>(level + 0.5f));
          EXPECT_EQ(drawn[i], whole + (unit_interval(draws[i]) < level - static_cast<float>(whole)));
        }
      }
  }
}

TEST(Kernels, RoundToTheNearestWholeNumberHalvesToEven) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    for (std::size_t i = 0; i < size; i += 3) x[i] = 0.25f * static_cast<float>(i % 11) - 1;
    for (const Kernels* kernel : forms()) {
      std::vector<std::uint8_t> seen(size);
      kernel->affine(x.data(), size, 0.5f, 3, seen.data());
      for (std::size_t i = 0; i < size; ++i)
        EXPECT_EQ(seen[i], std::clamp(std::nearbyint(x[i] / 0.5f) + 3, 0.0f, 255.0f)) << x[i];
    }
  }
}

TEST(Kernels, RoundToCodesAsThePlainLoopDoes) {
  for (std::size_t size : kSizes) {
    Vector x = values_of(size);
    std::vector<std::uint32_t> draws(size);
    KeyedDraws({.seed = size}).fill(0, draws);
    std::vector<std::uint8_t> levels(size), ternary(size);
    for (std::size_t i = 0; i < size; ++i) {
      float level = std::min(7.0f, std::fabs(x[i]) * 3), uniform = unit_interval(draws[i]);
      int whole = static_cast<int>(level);
      whole += uniform < level - static_cast<float>(whole);
      levels[i] = static_cast<std::uint8_t>(7 + (x[i] < 0 ? -whole : whole));
      ternary[i] = uniform * 2.5f < std::min(std::fabs(x[i]), 2.0f) ? (x[i] < 0 ? 3 : 1) : 0;
    }
    for (const Kernels* kernel : forms()) {
      std::vector<std::uint8_t> seen(size);
      kernel->levels(x.data(), draws.data(), size, 3, 7, seen.data());
      EXPECT_EQ(seen, levels);
      kernel->ternary(x.data(), draws.data(), size, 2, 2.5f, seen.data());
      EXPECT_EQ(seen, ternary);
      Vector values(size);
      kernel->values(levels.data(), size, 7, 0.5f, values.data());
      for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(values[i], (static_cast<float>(levels[i]) - 7) * 0.5f);
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

TEST(Kernels, FlipSignsAndDitherAsThePlainLoopsDo) {
  for (std::size_t size : kSizes) {
    const Vector x = values_of(size);
    std::vector<std::uint32_t> draws(size);
    KeyedDraws({.seed = size}).fill(0, draws);
    Vector flipped(size), dithered(size);
    for (std::size_t i = 0; i < size; ++i) {
      flipped[i] = draws[i] >> 31 ? -(x[i] * 0.3f) : x[i] * 0.3f;
      dithered[i] = x[i] + (2 * unit_interval(draws[i]) - 1) * 1.7f;
    }
    for (const Kernels* kernel : forms()) {
      Vector seen(size), moved = x;
      kernel->flip_signs(x.data(), draws.data(), size, 0.3f, seen.data());
      EXPECT_EQ(seen, flipped);
      kernel->dither(moved.data(), draws.data(), size, 1.7f);
      EXPECT_EQ(moved, dithered);
    }
  }
}

TEST(Kernels, DrawTheNumbersOfThePlainMixing) {
  constexpr std::uint32_t kBegin = 0xffffff00, kBefore = 0x1234567, kBetween = 0x89abcdef;
  std::vector<std::uint32_t> plain;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::uint32_t x = (kBegin + i) ^ kBefore;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x += kBetween;
    plain.push_back(x * 0x846ca68bu);
  }
  for (const Kernels* kernel : forms())
    for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{31}, plain.size()}) {
      std::vector<std::uint32_t> seen(size);
      kernel->draws(kBegin, kBefore, kBetween, seen.data(), size);
      EXPECT_TRUE(std::equal(seen.begin(), seen.end(), plain.begin()));
    }
}

}  // namespace
}  // namespace traincast
