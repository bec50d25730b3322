// The workloads' forward passes, as functions of their parameters in the catalog's order. Included by
// LibTorch's side only.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>

#include "base/parameters.hpp"

namespace traincast {

/// Logits [samples, classes] from images [samples, channels, rows, columns].
using Forward = at::Tensor (*)(const Parameters&, std::span<const at::Tensor> parameters, at::Tensor images);

/// Of an entry of the workload catalog.
Forward forward_of(std::string_view workload);

}  // namespace traincast
