// Tables of parameters that differ from another table in their defaults: described things of one kind.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/parameters.hpp"

namespace traincast {

struct Default {
  std::string_view key, value;
};

/// The same table with other defaults; required parameters become optional by theirs. A key that the table
/// lacks does not compile.
template <std::size_t N, std::size_t M>
constexpr std::array<Parameter, N> with_defaults(std::array<Parameter, N> table,
                                                 const Default (&defaults)[M]) {
  for (const Default& given : defaults) {
    bool found = false;
    for (Parameter& parameter : table)
      if (parameter.key == given.key) {
        parameter.fallback = given.value;
        found = true;
      }
    if (!found) throw "no such parameter";
  }
  return table;
}

}  // namespace traincast
