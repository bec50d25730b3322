#include "compressors/composed/named_method.hpp"

#include <algorithm>

namespace traincast {

NamedMethod read_method(const JsonReader& at) {
  NamedMethod method{&compressor_catalog().find(at), {}};
  method.parameters = read_parameters(at, method.entry->name, method.entry->parameters);
  try {
    method.make(0);
  } catch (const PlacedError&) {
    throw;
  } catch (const InputError& error) {
    at.refuse(error.what());
  }
  return method;
}

std::uint32_t joint_node_size(std::uint32_t one, std::uint32_t other) {
  if (one > 1 && other > 1 && one != other)
    throw InputError("methods of one policy must agree on their nodes' size, got " + std::to_string(one) +
                     " and " + std::to_string(other));
  return std::max(one, other);
}

}  // namespace traincast
