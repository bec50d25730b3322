// A sparse codec whose messages are summed in flight instead of gathered.
#pragma once

#include <memory>

#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

/// The same selection, contribution and average as make_gathered. An entry travels as its index in 32 bits
/// and its value; entries that are zero do not. The codec must not decode to dense vectors.
std::unique_ptr<Compressor> make_sparse_summed(std::unique_ptr<Codec> codec, Coupling coupling,
                                               ErrorRule rule, std::uint64_t seed);

}  // namespace traincast
