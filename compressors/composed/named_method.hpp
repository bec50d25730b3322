// A method inside another: what policies over tensors and steps are made of.
#pragma once

#include <memory>

#include "compressors/compressor_catalog.hpp"

namespace traincast {

struct NamedMethod {
  const Entry<MakeCompressor>* entry = nullptr;
  Parameters parameters;

  std::unique_ptr<Compressor> make(std::uint64_t seed) const { return entry->make(parameters, seed); }
};

/// The method that a value names. What is wrong with it, parameters that exclude each other too, is refused
/// at its place.
NamedMethod read_method(const JsonReader& at);

/// Of two methods in one policy. Throws InputError where both run within and across nodes, of different sizes.
std::uint32_t joint_node_size(std::uint32_t one, std::uint32_t other);

}  // namespace traincast
