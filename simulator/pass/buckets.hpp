// How a model's tensors are put into buckets.
#pragma once

#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "simulator/scenario/scenario.hpp"

namespace traincast {

/// Tensors in the order in which backward completes them (last defined first). A bucket of bytes is closed
/// when its size reaches the limit, the first when it reaches min(1 MiB, limit), as PyTorch's
/// DistributedDataParallel does (Li et al., VLDB 2020, section 3.2.3; `_DEFAULT_FIRST_BUCKET_BYTES`).
std::vector<Bucket> make_buckets(std::span<const TensorInfo> layers, const Bucketing& bucketing);

}  // namespace traincast
