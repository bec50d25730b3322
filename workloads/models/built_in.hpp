// The JSON files of this folder as text: built_in.cpp is made from them.
#pragma once

#include <span>
#include <string_view>

namespace traincast {

struct BuiltInTable {
  std::string_view name, text;
};

std::span<const BuiltInTable> built_in_tables();

}  // namespace traincast
