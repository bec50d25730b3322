// The types in which a trace may hold its values.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace traincast {

enum class Stored { f32, bf16, f16 };

struct StoredType {
  Stored type;
  std::string_view in_files, in_options;
  std::size_t size;  ///< bytes
};

inline constexpr std::array<StoredType, 3> kStoredTypes{
    {{Stored::f32, "F32", "fp32", 4}, {Stored::bf16, "BF16", "bf16", 2}, {Stored::f16, "F16", "fp16", 2}}};

constexpr const StoredType& stored_type(Stored type) { return kStoredTypes[static_cast<std::size_t>(type)]; }

}  // namespace traincast
