#include "compressors/sparse/select.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>

namespace traincast {

namespace {

std::int32_t magnitude(float x) {
  return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(x) & 0x7fffffff);
}

/// Orders by magnitude, then by lower index; the index can be read back from it.
std::uint64_t rank_key(float x, Index index) {
  return (static_cast<std::uint64_t>(magnitude(x)) << 32) | (~index);
}
Index index_of(std::uint64_t key) { return ~static_cast<Index>(key); }

// Entries tested together. A shorter loop would be unrolled before it is vectorised, and stay scalar.
constexpr std::size_t kBlock = 32;

/// Keys of all entries of at least this magnitude, by ascending index.
std::vector<std::uint64_t> candidates(std::span<const float> values, std::int32_t threshold,
                                      std::size_t expected) {
  std::vector<std::uint64_t> keys;
  keys.reserve(expected);
  auto scan = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (magnitude(values[i]) >= threshold) keys.push_back(rank_key(values[i], static_cast<Index>(i)));
  };
  std::size_t whole = values.size() / kBlock * kBlock;
  for (std::size_t begin = 0; begin < whole; begin += kBlock) {
    const float* block = values.data() + begin;
    std::int32_t top = 0;
    for (std::size_t i = 0; i < kBlock; ++i) top = std::max(top, magnitude(block[i]));
    if (top >= threshold) scan(begin, begin + kBlock);
  }
  scan(whole, values.size());
  return keys;
}

/// A magnitude that the k largest probably reach, from a sample at fixed, irregular places.
std::int32_t guess_threshold(std::span<const float> values, std::uint64_t k) {
  std::size_t sample = std::min<std::size_t>(values.size() / 64, 1 << 16);
  if (sample < 64) return 0;
  double share = static_cast<double>(k) / static_cast<double>(values.size());
  double expected = share * static_cast<double>(sample);
  auto rank = static_cast<std::size_t>(expected + 4 * std::sqrt(expected) + 8);
  if (rank >= sample) return 0;
  std::vector<std::int32_t> seen(sample);
  std::size_t stride = values.size() / sample;
  for (std::size_t j = 0; j < sample; ++j) {
    // The places jump about within their stride, for gradients have periods (rows, channels).
    std::size_t jitter = static_cast<std::uint32_t>(j * 2654435761u) % stride;
    seen[j] = magnitude(values[j * stride + jitter]);
  }
  auto nth = seen.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(seen.begin(), nth, seen.end(), std::greater<>());
  return *nth;
}

}  // namespace

// A sampled threshold leaves few candidates in one pass over the vector; the sample only decides the speed:
// if too few pass, all are candidates.
std::vector<Index> largest(std::span<const float> values, std::uint64_t k) {
  if (k >= values.size()) {
    std::vector<Index> all(values.size());
    std::iota(all.begin(), all.end(), Index{0});
    return all;
  }
  if (k == 0) return {};
  auto keys = candidates(values, guess_threshold(values, k), k + k / 2 + 64);
  if (keys.size() < k) keys = candidates(values, 0, values.size());
  auto ordered = keys;
  auto last = ordered.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(ordered.begin(), last, ordered.end(), std::greater<>());
  std::vector<Index> chosen;
  chosen.reserve(k);
  for (std::uint64_t key : keys)
    if (key >= *last) chosen.push_back(index_of(key));
  return chosen;
}

std::vector<Index> at_least(std::span<const float> values, float threshold) {
  std::vector<Index> chosen;
  for (std::uint64_t key : candidates(values, magnitude(threshold), 64)) chosen.push_back(index_of(key));
  return chosen;
}

std::vector<Index> largest_by_chunk(std::span<const float> values, std::uint64_t chunk) {
  std::vector<Index> chosen;
  chosen.reserve(values.size() / chunk + 1);
  for (std::size_t begin = 0; begin < values.size();) {
    std::size_t end = values.size() - begin > chunk ? begin + chunk : values.size();
    const float* entries = values.data() + begin;
    std::size_t size = end - begin;
    std::int32_t top = 0;
    for (std::size_t i = 0; i < size; ++i) top = std::max(top, magnitude(entries[i]));
    std::size_t first = 0;
    while (magnitude(entries[first]) != top) ++first;
    chosen.push_back(static_cast<Index>(begin + first));
    begin = end;
  }
  return chosen;
}

}  // namespace traincast
