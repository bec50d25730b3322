#include "compressors/sparse/random_places.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>

namespace traincast {

namespace {

/// A place in the upper half, which draw it was in the lower.
using Drawn = std::uint64_t;

std::uint64_t place_of(Drawn drawn) { return drawn >> 32; }
std::uint32_t number_of(Drawn drawn) { return static_cast<std::uint32_t>(drawn); }

/// By place, those of one place as they were; least significant digit first.
void sort_by_place(std::vector<Drawn>& drawn, std::uint64_t bound) {
  if (drawn.size() < 512) return std::sort(drawn.begin(), drawn.end());
  constexpr unsigned kWidth = 13;
  constexpr std::uint64_t kMask = (1u << kWidth) - 1;
  const unsigned digits = (static_cast<unsigned>(std::bit_width(bound - 1)) + kWidth - 1) / kWidth;
  std::vector<std::uint32_t> counts(digits << kWidth);
  for (Drawn one : drawn)
    for (unsigned digit = 0; digit < digits; ++digit)
      ++counts[(digit << kWidth) + ((place_of(one) >> (digit * kWidth)) & kMask)];
  std::vector<Drawn> other(drawn.size());
  for (unsigned digit = 0; digit < digits; ++digit) {
    std::uint32_t* begin = counts.data() + (digit << kWidth);
    std::exclusive_scan(begin, begin + kMask + 1, begin, 0u);
    for (Drawn one : drawn) other[begin[(place_of(one) >> (digit * kWidth)) & kMask]++] = one;
    drawn.swap(other);
  }
}

/// 64 bits as a fraction of `bound`, which is at most 2^32.
std::uint64_t scaled(const std::uint32_t words[2], std::uint64_t bound) {
  return (words[0] * bound + ((words[1] * bound) >> 32)) >> 32;
}

}  // namespace

std::uint64_t draw_below(const Draws& draws, std::uint64_t place, std::uint64_t bound) {
  std::uint32_t words[2];
  draws.fill(2 * place, words);
  return scaled(words, bound);
}

std::vector<Index> random_places(std::uint64_t numel, std::uint64_t k, const Draws& draws) {
  std::vector<Index> places;
  if (k >= numel) {
    places.resize(numel);
    std::iota(places.begin(), places.end(), Index{0});
    return places;
  }
  if (2 * k > numel) {  // draw what stays behind
    std::vector<Index> behind = random_places(numel, numel - k, draws);
    places.reserve(k);
    auto next = behind.begin();
    for (Index place = 0; place < numel; ++place)
      if (next != behind.end() && *next == place)
        ++next;
      else
        places.push_back(place);
    return places;
  }
  // Floyd's sampling (Bentley and Floyd 1987): draw j lies below n − k + j + 1, and where its place is taken
  // already, by an earlier draw or in this way, the place n − k + j, its last, is. Sorting tells who came
  // later.
  const std::uint64_t first_last = numel - k;
  std::vector<std::uint32_t> words(2 * k);
  draws.fill(0, words);
  std::vector<Drawn> drawn(k);
  for (std::uint64_t j = 0; j < k; ++j) drawn[j] = scaled(&words[2 * j], first_last + j + 1) << 32 | j;
  sort_by_place(drawn, numel);
  std::vector<bool> late(k);
  places.reserve(k);
  for (std::size_t i = 0; i < k; ++i) {
    const auto place = static_cast<Index>(place_of(drawn[i]));
    if (!places.empty() && places.back() == place)
      late[number_of(drawn[i])] = true;
    else
      places.push_back(place);
  }
  // Draws of a place that may be an earlier draw's last.
  auto above = std::lower_bound(drawn.begin(), drawn.end(), Drawn{first_last} << 32);
  std::sort(above, drawn.end(), [](Drawn a, Drawn b) { return number_of(a) < number_of(b); });
  for (; above != drawn.end(); ++above) {
    const std::uint64_t earlier = place_of(*above) - first_last;
    if (earlier < number_of(*above) && late[earlier]) late[number_of(*above)] = true;
  }
  if (places.size() == k) return places;  // none was late
  std::vector<Index> lasts, all;
  for (std::uint64_t j = 0; j < k; ++j)
    if (late[j]) lasts.push_back(static_cast<Index>(first_last + j));
  all.reserve(k);
  std::set_union(places.begin(), places.end(), lasts.begin(), lasts.end(), std::back_inserter(all));
  return all;
}

}  // namespace traincast
