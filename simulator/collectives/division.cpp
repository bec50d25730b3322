#include "simulator/collectives/division.hpp"

#include <algorithm>
#include <numeric>

namespace traincast {

Division Division::even(std::uint64_t count, std::uint32_t blocks, Bytes element_bytes) {
  Division result;
  result.count_ = count;
  result.blocks_ = blocks;
  result.element_bytes_ = element_bytes;
  return result;
}

Division Division::of_sizes(const std::vector<Bytes>& sizes) {
  std::vector<std::uint64_t> starts(sizes.size() + 1, 0);
  std::partial_sum(sizes.begin(), sizes.end(), starts.begin() + 1);
  Division result;
  result.blocks_ = static_cast<std::uint32_t>(sizes.size());
  result.starts_ = std::make_shared<const std::vector<std::uint64_t>>(std::move(starts));
  return result;
}

Division Division::padded(const std::vector<Bytes>& sizes) {
  Division result = of_sizes(sizes);
  result.bytes_of_each_ = *std::max_element(sizes.begin(), sizes.end());
  return result;
}

Division Division::cut(std::uint32_t block, std::uint32_t pieces) const {
  Division result = even(start(block + 1) - start(block), pieces, element_bytes_);
  result.first_ = start(block);
  return result;
}

Division Division::part(std::uint32_t first, std::uint32_t blocks) const {
  Division result = *this;
  result.first_block_ += first;
  result.blocks_ = blocks;
  result.first_ = result.start(0);
  return result;
}

Action Division::action(Action::Kind kind, Rank peer, std::uint32_t first, std::uint32_t end) const {
  std::uint64_t from = start(first), to = start(end);
  return {kind, peer, from, to,
          bytes_of_each_ ? (end - first) * *bytes_of_each_ : (to - from) * element_bytes_};
}

}  // namespace traincast
