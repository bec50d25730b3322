// Methods in which one learner chooses the entries for all, which then sum the values in flight.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "compressors/compressor.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {

/// Who chooses.
enum class Leader {
  cyclic,    ///< learner t mod N in step t
  variance,  ///< whose vector has the largest variance; of equal ones the lowest number
};

struct LedSupport {
  Leader leader = Leader::cyclic;
  /// Entries of a tensor of this unit for one that is sent: of each such chunk one where `by_chunk`, else of
  /// the whole tensor as many.
  std::function<double(const Bucket&)> rate;
  bool by_chunk = false;
  /// Of the leader's message; nothing: places in their chunks (by_chunk only).
  std::optional<IndexCoding> index = IndexCoding::int32;
  float beta = 1;  ///< low-pass filter of the error memory
};

/// Phase 0: leader's vector to indices, broadcast (before it, where the leader is to be found: an all-gather
/// of variances); then an all-reduce of the values, and scatter.
std::unique_ptr<Compressor> make_led_support(LedSupport method);

}  // namespace traincast
