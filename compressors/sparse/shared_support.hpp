// Methods in which all learners send the same entries, so that only values travel, summed in flight.
#pragma once

#include <memory>
#include <vector>

#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

/// Which entries, from random numbers that all learners share.
class SharedSelector {
 public:
  virtual ~SharedSelector() = default;
  /// Rising places; as many as `count` says.
  virtual std::vector<Index> select(std::uint64_t numel, const Draws& shared) const = 0;
  virtual std::uint64_t count(std::uint64_t numel) const = 0;
  virtual Work gather_work(std::uint64_t numel) const {
    return {Primitive::gather, {numel, count(numel), 0}};
  }
};

/// Phase 0: all-reduce of the values; phase 1: scatter. `unbiased`: values are multiplied by
/// numel / count, and the method remembers nothing.
std::unique_ptr<Compressor> make_shared_support(std::unique_ptr<const SharedSelector> selector, bool unbiased,
                                                std::uint64_t seed);

}  // namespace traincast
