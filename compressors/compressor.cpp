#include "compressors/compressor.hpp"

namespace traincast {

std::vector<Bucket> Compressor::units(const Bucket& bucket) const {
  if (coupling() != Coupling::tensor) return {bucket};
  std::vector<Bucket> tensors;
  for (const TensorInfo& tensor : bucket.tensors) tensors.push_back({tensor.id, {tensor}});
  return tensors;
}

}  // namespace traincast
