// The catalog's rows: each is defined in the file of its name, with its parameters; and what methods lend
// each other.
#pragma once

#include <cstdint>
#include <memory>

#include "compressors/codec.hpp"
#include "compressors/compressor_catalog.hpp"

namespace traincast {

extern const Entry<MakeCompressor> kNoneMethod;
extern const Entry<MakeCompressor> kPowerSgdMethod;
extern const Entry<MakeCompressor> kScaleComMethod;
extern const Entry<MakeCompressor> kTopKMethod;

/// Entries that a share of a tensor makes: at least one, none of an empty tensor. The small term keeps
/// products that are whole numbers from falling below them.
std::uint64_t share_of(double density, std::uint64_t numel);

std::unique_ptr<const Codec> topk_codec(double density);

}  // namespace traincast
