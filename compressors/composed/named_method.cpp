#include "compressors/composed/named_method.hpp"

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

}  // namespace traincast
