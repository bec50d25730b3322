// What the catalog's rows point to; each is defined in the file of its name.
#pragma once

#include <cstdint>
#include <memory>

#include "base/parameters.hpp"
#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

std::unique_ptr<Compressor> make_none(const Parameters& parameters, std::uint64_t seed);
std::unique_ptr<Compressor> make_topk(const Parameters& parameters, std::uint64_t seed);
std::unique_ptr<Compressor> make_scalecom(const Parameters& parameters, std::uint64_t seed);
std::unique_ptr<Compressor> make_powersgd(const Parameters& parameters, std::uint64_t seed);

/// Entries that a share of a tensor makes: at least one, none of an empty tensor. The small term keeps
/// products that are whole numbers from falling below them.
std::uint64_t share_of(double density, std::uint64_t numel);

std::unique_ptr<const Codec> topk_codec(double density);

}  // namespace traincast
