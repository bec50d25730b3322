// The safetensors format: eight bytes of header length, a JSON header that names each tensor's type, shape
// and place, then the data. Stricter than the reference reader, which keeps the last of two equal names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/trace/input_file.hpp"

namespace traincast {

struct SafetensorsTensor {
  std::string name;
  std::string type;  ///< "F32", "BF16", …
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes, counted from the start of the data
};

struct SafetensorsHeader {
  std::vector<SafetensorsTensor> tensors;  ///< in the order of their data
  std::vector<std::pair<std::string, std::string>> metadata;
  std::uint64_t data_begin = 0;  ///< where in the file the data start

  const SafetensorsTensor* find(std::string_view name) const;
};

/// Bytes of one element; 0 where the format has no such type.
std::uint64_t safetensors_element_size(std::string_view type);

/// The first bytes of a file with these tensors (a multiple of 8), up to its data.
std::string safetensors_header_bytes(std::span<const SafetensorsTensor> tensors);

/// How long a header may be here; the reference allows 100 MB, which no trace comes near.
inline constexpr std::uint64_t kLargestSafetensorsHeader = 4 << 20;

/// Checks that the header is sound and that the tensors fill the file without holes. Throws InputError that
/// begins with `file` and names the tensor at fault.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t file_size,
                                           const std::string& file);

/// The bytes up to the data, still to be parsed (without the eight that hold the length).
std::string read_safetensors_json(const InputFile& file);

}  // namespace traincast
