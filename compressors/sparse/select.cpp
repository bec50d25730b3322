#include "compressors/sparse/select.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>

#include "compressors/kernels/kernels.hpp"

namespace traincast {

namespace {

std::int32_t magnitude(float x) {
  return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(x) & 0x7fffffff);
}

constexpr std::size_t kBlock = 4096;

/// Of values that stand there already.
constexpr auto kMade = [](std::size_t, std::size_t) {};

/// All entries of at least this magnitude, by ascending index.
template <class Make>
std::vector<Index> candidates(std::span<const float> values, std::int32_t threshold, std::size_t expected,
                              Make&& make) {
  std::vector<Index> places(std::max(expected, kBlock) + kBlock);
  std::size_t found = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    if (places.size() < found + kBlock) places.resize(2 * places.size());
    const std::size_t size = std::min(kBlock, values.size() - begin);
    make(begin, size);
    found += kernels().collect(values.data() + begin, size, threshold, static_cast<Index>(begin),
                               places.data() + found);
  }
  places.resize(found);
  return places;
}

/// The k-th largest of these magnitudes (k from 1), and how many are larger: by digits of eight bits, the
/// highest first, each pass over those that share the digits so far.
std::pair<std::int32_t, std::uint64_t> kth_largest(std::vector<std::int32_t> magnitudes, std::uint64_t k) {
  std::uint64_t larger = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    std::uint64_t counts[256] = {};
    for (std::int32_t m : magnitudes) ++counts[(m >> shift) & 255];
    int digit = 255;
    for (; larger + counts[digit] < k; --digit) larger += counts[digit];
    std::erase_if(magnitudes, [&](std::int32_t m) { return ((m >> shift) & 255) != digit; });
  }
  return {magnitudes.front(), larger};
}

/// A magnitude that the k largest of `size` probably reach, from a sample at fixed, irregular places.
template <class At>
std::int32_t guess_threshold(std::size_t size, std::uint64_t k, At&& at) {
  std::size_t sample = std::min<std::size_t>(size / 64, 1 << 16);
  if (sample < 64) return 0;
  double share = static_cast<double>(k) / static_cast<double>(size);
  double expected = share * static_cast<double>(sample);
  auto rank = static_cast<std::size_t>(expected + 4 * std::sqrt(expected) + 8);
  if (rank >= sample) return 0;
  std::vector<std::int32_t> seen(sample);
  std::size_t stride = size / sample;
  for (std::size_t j = 0; j < sample; ++j) {
    // The places jump about within their stride, for gradients have periods (rows, channels).
    std::size_t jitter = static_cast<std::uint32_t>(j * 2654435761u) % stride;
    seen[j] = magnitude(at(j * stride + jitter));
  }
  auto nth = seen.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(seen.begin(), nth, seen.end(), std::greater<>());
  return *nth;
}

// A sampled threshold leaves few candidates in one pass over the vector; the sample only decides the speed:
// if too few pass, all are candidates.
template <class At, class Make>
std::vector<Index> select_largest(std::span<const float> values, std::uint64_t k, At&& at, Make&& make) {
  if (k >= values.size() || k == 0) {
    for (std::size_t begin = 0; begin < values.size(); begin += kBlock)
      make(begin, std::min(kBlock, values.size() - begin));
    std::vector<Index> all(k == 0 ? 0 : values.size());
    std::iota(all.begin(), all.end(), Index{0});
    return all;
  }
  auto places = candidates(values, guess_threshold(values.size(), k, at), k + k / 2 + 64, make);
  if (places.size() < k) places = candidates(values, 0, values.size(), kMade);
  std::vector<std::int32_t> magnitudes(places.size());
  for (std::size_t j = 0; j < places.size(); ++j) magnitudes[j] = magnitude(values[places[j]]);
  auto [kth, larger] = kth_largest(magnitudes, k);
  std::uint64_t equal = k - larger;  // of those as large as the k-th, the first ones
  std::size_t kept = 0;
  for (std::size_t j = 0; j < places.size(); ++j) {
    bool ties = magnitudes[j] == kth && equal > 0;
    if (magnitudes[j] > kth || ties) places[kept++] = places[j];
    equal -= ties;
  }
  places.resize(kept);
  return places;
}

}  // namespace

std::vector<Index> largest(std::span<const float> values, std::uint64_t k) {
  return select_largest(
      values, k, [&](std::size_t i) { return values[i]; }, kMade);
}

std::vector<Index> largest_made(std::span<const float> values, std::uint64_t k,
                                const std::function<float(std::size_t)>& at,
                                const std::function<void(std::size_t first, std::size_t count)>& make) {
  return select_largest(values, k, at, make);
}

std::vector<Index> at_least(std::span<const float> values, float threshold) {
  return candidates(values, magnitude(threshold), 64, kMade);
}

std::vector<Index> largest_by_chunk(std::span<const float> values, std::uint64_t chunk) {
  std::vector<Index> chosen(values.size() / chunk + (values.size() % chunk != 0));
  kernels().largest_by_chunk(values.data(), values.size(), chunk, chosen.data());
  return chosen;
}

}  // namespace traincast
