// A collective's buffer cut into consecutive blocks, one per rank; empty blocks are allowed.
#pragma once

#include <memory>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// Cheap to copy: the sizes of an uneven division are shared.
class Division {
 public:
  /// Block c holds elements ⌊c·count/blocks⌋ … ⌊(c+1)·count/blocks⌋.
  static Division even(std::uint64_t count, std::uint32_t blocks, Bytes element_bytes);
  /// Blocks of the given sizes, in bytes.
  static Division of_sizes(const std::vector<Bytes>& sizes);

  /// First element of a block; for the number of blocks, the end of the buffer.
  std::uint64_t start(std::uint32_t block) const {
    return starts_ ? (*starts_)[block] : block * count_ / blocks_;
  }

  /// The transfer of blocks [first, end).
  Action action(Action::Kind kind, Rank peer, std::uint32_t first, std::uint32_t end) const;

 private:
  std::uint64_t count_ = 0;
  std::uint32_t blocks_ = 1;
  Bytes element_bytes_ = 1;
  std::shared_ptr<const std::vector<std::uint64_t>> starts_;
};

}  // namespace traincast
