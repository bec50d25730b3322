// Methods that compress twice: servers (or learners that own a stripe each) decode all messages, average, and
// encode the average anew for the way back.
#pragma once

#include <memory>

#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

struct Recompression {
  enum class Way {
    servers,  ///< push, pull
    stripes,  ///< all-to-all of N stripes, all-gather of the averages
  } way = Way::servers;
  bool server_memory = false;  ///< error feedback around the second encoding (local)
  /// Stripes are cut between rows of a matrix, or at multiples of so many elements.
  bool by_row = false;
  std::uint64_t granule = 1;
};

/// Phase 0: encode, push (servers) or all-to-all (stripes); stripes: phase 1 average, encode, all-gather;
/// last phase: decode. What servers compute is charged to the learners in equal parts, as where each learner
/// hosts a server.
std::unique_ptr<Compressor> make_recompressed(std::unique_ptr<Codec> codec, Recompression how, ErrorRule rule,
                                              std::uint64_t seed);

}  // namespace traincast
