#include "compressors/sparse/random_places.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace traincast {

namespace {

constexpr Index kFree = ~Index{0};

/// Places seen so far: open addressing in a table at most half full.
class PlaceSet {
 public:
  explicit PlaceSet(std::uint64_t places)
      : shift_(64 - static_cast<unsigned>(std::bit_width(2 * places + 1))),
        slots_(std::size_t{1} << (64 - shift_), kFree) {}
  /// False where it was there already.
  bool insert(Index place) {
    std::size_t slot = (place * 0x9E3779B97F4A7C15) >> shift_;
    for (; slots_[slot] != kFree; slot = (slot + 1) & (slots_.size() - 1))
      if (slots_[slot] == place) return false;
    slots_[slot] = place;
    return true;
  }

 private:
  unsigned shift_;
  std::vector<Index> slots_;
};

/// Least significant digit first, 11 bits at a time.
void sort_places(std::vector<Index>& places, std::uint64_t bound) {
  if (places.size() < 512) return std::sort(places.begin(), places.end());
  std::vector<Index> other(places.size());
  for (unsigned shift = 0; shift < 32 && (bound - 1) >> shift != 0; shift += 11) {
    std::uint32_t begin[2048] = {};
    for (Index place : places) ++begin[(place >> shift) & 2047];
    std::exclusive_scan(std::begin(begin), std::end(begin), std::begin(begin), 0u);
    for (Index place : places) other[begin[(place >> shift) & 2047]++] = place;
    places.swap(other);
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
  PlaceSet seen(k);
  places.reserve(k);
  std::vector<std::uint32_t> words(2 * k);
  draws.fill(0, words);
  for (std::uint64_t j = 0; j < k; ++j) {
    std::uint64_t top = numel - k + j;
    auto place = static_cast<Index>(scaled(&words[2 * j], top + 1));
    if (!seen.insert(place)) {
      place = static_cast<Index>(top);
      seen.insert(place);
    }
    places.push_back(place);
  }
  sort_places(places, numel);
  return places;
}

}  // namespace traincast
