// The dense all-reduce in 16 bits.
#pragma once

#include <memory>

#include "compressors/compressor.hpp"

namespace traincast {

/// Casts to bf16 or fp16, sums in that precision, casts back. `divides_first`: by N before the sum, as
/// PyTorch's hooks do, so that sums do not overflow; else after it, as Horovod does.
std::unique_ptr<Compressor> make_half_precision(Element element, bool divides_first);

}  // namespace traincast
