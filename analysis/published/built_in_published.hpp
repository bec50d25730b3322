// The JSON files of analysis/published as text: built_in_published.cpp is made from them.
#pragma once

#include <span>
#include <string_view>

namespace traincast {

struct BuiltInPublished {
  std::string_view name, text;
};

std::span<const BuiltInPublished> built_in_published();

}  // namespace traincast
