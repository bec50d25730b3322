// Refusals that come when work has begun, told like those of the reader.
#pragma once

#include <string>

#include "base/error.hpp"

namespace traincast {

/// What `work` gives; a refusal of it that names a place without a file, as ":/engine: …" (PlacedError,
/// perhaps through the pipe of a child process), gets the file's name.
template <class Work>
auto placed_in(const std::string& file, Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    std::string what = error.what();
    auto colon = what.find(": ");
    if (!what.starts_with(":/") || colon == what.npos) throw;
    throw PlacedError(file, what.substr(1, colon - 1), what.substr(colon + 2));
  }
}

}  // namespace traincast
