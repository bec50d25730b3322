// Layers of ResNet-18 for CIFAR-10, as the PowerSGD paper trains it.
#pragma once

#include <string>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

/// 62 tensors, 21 of them matrices, 11,173,962 parameters, in the order of definition.
inline std::vector<TensorInfo> resnet18_layers() {
  std::vector<TensorInfo> layers;
  auto add = [&](std::vector<std::int64_t> shape, const char* kind) {
    auto id = static_cast<std::uint32_t>(layers.size());
    layers.push_back({id, "layer" + std::to_string(id), std::move(shape), kind});
  };
  auto convolution = [&](std::int64_t out, std::int64_t in, std::int64_t kernel) {
    add({out, in, kernel, kernel}, "conv.weight");
    add({out}, "norm.weight");
    add({out}, "norm.bias");
  };
  convolution(64, 3, 3);
  std::int64_t in = 64;
  for (std::int64_t out : {64, 128, 256, 512})
    for (int block = 0; block < 2; ++block) {
      convolution(out, in, 3);
      convolution(out, out, 3);
      if (in != out) convolution(out, in, 1);
      in = out;
    }
  add({10, 512}, "linear.weight");
  add({10}, "bias");
  return layers;
}

}  // namespace traincast
