// A collective's buffer, or a part of it, cut into consecutive blocks; empty blocks are allowed.
#pragma once

#include <memory>
#include <optional>
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

  /// The same, but each travels as long as the longest.
  static Division padded(const std::vector<Bytes>& sizes);

  /// One block, cut evenly in its turn.
  Division cut(std::uint32_t block, std::uint32_t pieces) const;
  /// Blocks [first, first + blocks) of uneven ones, as blocks 0 … blocks−1.
  Division part(std::uint32_t first, std::uint32_t blocks) const;

  std::uint32_t blocks() const { return blocks_; }

  /// First element of a block; for the number of blocks, the end of the last. Counts on around the buffer.
  std::uint64_t start(std::uint32_t block) const {
    if (block > blocks_) return start(block - blocks_) + start(blocks_) - first_;
    return starts_ ? (*starts_)[first_block_ + block] : first_ + block * count_ / blocks_;
  }

  /// The transfer of blocks [first, end); `end` may count on around the buffer.
  Action action(Action::Kind kind, Rank peer, std::uint32_t first, std::uint32_t end) const;

 private:
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint32_t first_block_ = 0, blocks_ = 1;
  Bytes element_bytes_ = 1;
  std::optional<Bytes> bytes_of_each_;
  std::shared_ptr<const std::vector<std::uint64_t>> starts_;
};

}  // namespace traincast
