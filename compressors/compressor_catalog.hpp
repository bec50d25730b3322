// Every method by name.
#pragma once

#include <cstdint>
#include <memory>

#include "base/catalog.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

/// A fresh compressor for one unit; `seed` is the scenario's.
using MakeCompressor = std::unique_ptr<Compressor> (*)(const Parameters&, std::uint64_t seed);

const Catalog<MakeCompressor>& compressor_catalog();

}  // namespace traincast
