#include "workloads/trace/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/names.hpp"

namespace traincast {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace {

struct ElementType {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array<ElementType, 15> kTypes{{{"BOOL", 1},
                                              {"U8", 1},
                                              {"I8", 1},
                                              {"F8_E5M2", 1},
                                              {"F8_E4M3", 1},
                                              {"I16", 2},
                                              {"U16", 2},
                                              {"F16", 2},
                                              {"BF16", 2},
                                              {"I32", 4},
                                              {"U32", 4},
                                              {"F32", 4},
                                              {"F64", 8},
                                              {"I64", 8},
                                              {"U64", 8}}};

constexpr std::size_t kMostDimensions = 64;

/// One tensor's entry in the header; its messages begin with file and tensor.
class EntryReader {
 public:
  EntryReader(const Json::Member& member, const std::string& file)
      : name_(member.first), value_(member.second), file_(file) {}

  SafetensorsTensor read() const {
    static const std::vector<std::string> kFields{"data_offsets", "dtype", "shape"};
    if (!value_.is_object())
      refuse("must be an object with dtype, shape and data_offsets, got " + shown(value_));
    for (const auto& [field, unused] : value_.members())
      if (std::find(kFields.begin(), kFields.end(), field) == kFields.end())
        refuse("unknown field '" + field + "'" + known_names(field, kFields));
    SafetensorsTensor tensor{.name = name_, .type = {}, .shape = {}};
    const Json& type = field("dtype");
    if (!type.is_string()) refuse("dtype must be a string, got " + shown(type));
    tensor.type = type.text();
    std::uint64_t element = safetensors_element_size(tensor.type);
    if (element == 0) {
      std::vector<std::string> known;
      for (const ElementType& t : kTypes) known.emplace_back(t.name);
      refuse("unknown dtype '" + tensor.type + "'" + known_names(tensor.type, known));
    }
    for (std::uint64_t extent : whole_numbers("shape", kMostDimensions))
      tensor.shape.push_back(static_cast<std::int64_t>(extent));
    auto offsets = whole_numbers("data_offsets", 2);
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      refuse("data_offsets must be two whole numbers, the first not above the second, got " +
             shown(field("data_offsets")));
    tensor.begin = offsets[0];
    tensor.end = offsets[1];
    std::uint64_t bytes = element;
    for (std::int64_t extent : tensor.shape)
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes))
        refuse("shape " + shown(field("shape")) + " of " + tensor.type + " takes more than 2^64 bytes");
    if (bytes != tensor.end - tensor.begin)
      refuse("shape " + shown(field("shape")) + " of " + tensor.type + " takes " + std::to_string(bytes) +
             " bytes, but data_offsets " + shown(field("data_offsets")) + " hold " +
             std::to_string(tensor.end - tensor.begin));
    return tensor;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError(file_ + ": tensor '" + name_ + "': " + why);
  }
  static std::string shown(const Json& value) { return JsonReader(value, "").shown(); }
  const Json& field(const char* key) const {
    const Json* value = value_.find(key);
    if (!value) refuse("field '" + std::string(key) + "' is missing");
    return *value;
  }
  std::vector<std::uint64_t> whole_numbers(const char* key, std::size_t most) const {
    const Json& list = field(key);
    if (!list.is_array()) refuse(std::string(key) + " must be a list of whole numbers, got " + shown(list));
    if (list.items().size() > most)
      refuse(std::string(key) + " has " + std::to_string(list.items().size()) + " entries; at most " +
             std::to_string(most) + " are allowed");
    std::vector<std::uint64_t> all;
    for (const Json& item : list.items()) {
      if (!item.is_integer() || item.integer() < 0)
        refuse(std::string(key) + " must be a list of whole numbers, got " + shown(list));
      all.push_back(static_cast<std::uint64_t>(item.integer()));
    }
    return all;
  }

  const std::string& name_;
  const Json& value_;
  const std::string& file_;
};

}  // namespace

const SafetensorsTensor* SafetensorsHeader::find(std::string_view name) const {
  for (const SafetensorsTensor& tensor : tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

std::uint64_t safetensors_element_size(std::string_view type) {
  for (const ElementType& known : kTypes)
    if (known.name == type) return known.size;
  return 0;
}

std::string safetensors_header_bytes(std::span<const SafetensorsTensor> tensors) {
  Json header{Json::Object{}};
  for (const SafetensorsTensor& tensor : tensors) {
    Json entry;
    entry["dtype"] = tensor.type;
    entry["shape"] = Json::list(tensor.shape);
    entry["data_offsets"] = Json::list(std::array{tensor.begin, tensor.end});
    header.members().emplace_back(tensor.name, std::move(entry));
  }
  std::string json = header.dump(-1);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::uint64_t size = json.size();
  std::string bytes(sizeof size, '\0');
  std::memcpy(bytes.data(), &size, sizeof size);
  return bytes + json;
}

std::string read_safetensors_json(const InputFile& file) {
  std::uint64_t size = 0;
  if (file.size() < sizeof size)
    throw InputError(file.path() + ": has " + std::to_string(file.size()) +
                     " bytes; a safetensors file begins with 8 that give the length of its header");
  file.read_at(0, &size, sizeof size);
  if (size > kLargestSafetensorsHeader)
    throw InputError(file.path() + ": gives its header a length of " + std::to_string(size) +
                     " bytes; at most " + std::to_string(kLargestSafetensorsHeader) + " are accepted");
  if (size > file.size() - sizeof size)
    throw InputError(file.path() + ": its header would end at byte " + std::to_string(size + sizeof size) +
                     ", but the file has " + std::to_string(file.size()));
  std::string json(size, '\0');
  file.read_at(sizeof size, json.data(), json.size());
  return json;
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t file_size,
                                           const std::string& file) {
  if (json.empty() || json.front() != '{') throw InputError(file + ": its header does not begin with '{'");
  const Json parsed = Json::parse(json, file);
  SafetensorsHeader header;
  header.data_begin = 8 + json.size();
  for (const Json::Member& member : parsed.members()) {
    if (member.first != "__metadata__") {
      header.tensors.push_back(EntryReader(member, file).read());
      continue;
    }
    bool strings = member.second.is_object();
    if (strings)
      for (const auto& [key, value] : member.second.members()) {
        strings = strings && value.is_string();
        if (strings) header.metadata.emplace_back(key, value.text());
      }
    if (!strings)
      throw InputError(file + ": __metadata__ must be an object of strings, got " +
                       JsonReader(member.second, file).shown());
  }
  std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const SafetensorsTensor* last = nullptr;
  std::uint64_t end = 0;
  for (const SafetensorsTensor& tensor : header.tensors) {
    std::string where = file + ": tensor '" + tensor.name + "': ";
    if (tensor.begin != end)
      throw InputError(where + "its data begin at " + std::to_string(tensor.begin) + ", but " +
                       (last ? "those of '" + last->name + "' end at " + std::to_string(end)
                             : "the first must begin at 0"));
    if ((header.data_begin + tensor.begin) % safetensors_element_size(tensor.type) != 0)
      throw InputError(where + "its data begin at byte " + std::to_string(header.data_begin + tensor.begin) +
                       " of the file, which is no multiple of the size of " + tensor.type);
    last = &tensor;
    end = tensor.end;
  }
  if (header.data_begin + end != file_size || end > file_size)
    throw InputError(file + ": " + (last ? "tensor '" + last->name + "', the last," : "its header") +
                     " ends at byte " + std::to_string(header.data_begin + end) + ", but the file has " +
                     std::to_string(file_size));
  return header;
}

}  // namespace traincast
