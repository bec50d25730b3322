#include "compressors/sparse/sparse_message.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/parameters.hpp"
#include "compressors/bits.hpp"
#include "base/bf16.hpp"
#include "base/fp16.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "sparse";

bool begins_with_count(SparseFormat format) {
  return format.index == IndexCoding::elias || format.value == ValueCoding::sign;
}

std::uint64_t index_bytes(IndexCoding coding, std::uint64_t count, std::uint64_t numel) {
  if (coding == IndexCoding::bitmap) return bytes_of_bits(numel);
  return (coding == IndexCoding::int32 ? 4 : 8) * count;
}

void append_indices(Message& message, std::span<const Index> indices, std::uint64_t numel,
                    IndexCoding coding) {
  switch (coding) {
    case IndexCoding::int32: append(message, indices); break;
    case IndexCoding::int64:
      for (Index index : indices) append(message, std::uint64_t{index});
      break;
    case IndexCoding::bitmap: {
      std::size_t begin = message.size();
      message.resize(begin + bytes_of_bits(numel));
      for (Index index : indices) message[begin + index / 8] |= std::byte(1u << (index % 8));
      break;
    }
    case IndexCoding::elias: {
      WordBitWriter bits;
      std::int64_t before = -1;
      for (Index index : indices) {
        bits.put_delta(static_cast<std::uint32_t>(index - before));
        before = index;
      }
      append(message, static_cast<std::uint32_t>(bits.words().size()));
      append(message, bits.words());
      break;
    }
  }
}

/// Reads from the front of `message` and takes it off.
std::vector<Index> take_indices(std::span<const std::byte>& message, std::uint64_t count, std::uint64_t numel,
                                IndexCoding coding) {
  std::vector<Index> indices;
  indices.reserve(count);
  std::uint64_t used = 0;
  auto need = [&](std::uint64_t bytes) {
    if (message.size() < bytes) refuse_message(kKind, "ends within its indices");
    used = bytes;
  };
  switch (coding) {
    case IndexCoding::int32:
      need(4 * count);
      indices = read_values<Index>(message, 0, count);
      break;
    case IndexCoding::int64:
      need(8 * count);
      for (std::uint64_t index : read_values<std::uint64_t>(message, 0, count)) {
        if (index >= numel)
          refuse_message(kKind, "has index " + std::to_string(index) + " beyond its vector");
        indices.push_back(static_cast<Index>(index));
      }
      break;
    case IndexCoding::bitmap:
      need(bytes_of_bits(numel));
      for (std::uint64_t b = 0; b < used; ++b)
        for (unsigned bits = std::to_integer<unsigned>(message[b]); bits != 0; bits &= bits - 1)
          indices.push_back(static_cast<Index>(8 * b + static_cast<unsigned>(std::countr_zero(bits))));
      break;
    case IndexCoding::elias: {
      need(4);
      std::uint64_t words = read_values<std::uint32_t>(message, 0, 1)[0];
      need(4 + 4 * words);
      auto held = read_values<std::uint32_t>(message, 4, words);
      WordBitReader bits(kKind, held, 32 * words);
      std::uint64_t next = 0;  // one beyond the index before
      for (std::uint64_t j = 0; j < count; ++j) {
        next += bits.get_delta();
        if (next > numel) refuse_message(kKind, "has an index beyond its vector");
        indices.push_back(static_cast<Index>(next - 1));
      }
      break;
    }
  }
  if (indices.size() != count)
    refuse_message(kKind,
                   "marks " + std::to_string(indices.size()) + " entries, not " + std::to_string(count));
  for (std::size_t j = 0; j < count; ++j)
    if (indices[j] >= numel || (j > 0 && indices[j] <= indices[j - 1]))
      refuse_message(kKind, "has index " + std::to_string(indices[j]) + " at place " + std::to_string(j) +
                                ", not ascending below " + std::to_string(numel));
  message = message.subspan(used);
  return indices;
}

void write_values(Message& message, std::span<const float> values, ValueCoding coding) {
  float scale = 0;
  switch (coding) {
    case ValueCoding::fp32: append(message, values); break;
    case ValueCoding::fp16:
      for (float value : values) append(message, fp16_bits(value));
      break;
    case ValueCoding::bf16:
      for (float value : values) append(message, bf16_bits(value));
      break;
    case ValueCoding::int8:
      for (float value : values) scale = std::max(scale, std::fabs(value));
      append(message, scale);
      for (float value : values)
        append(message, static_cast<std::int8_t>(scale > 0 ? std::nearbyint(value / scale * 127) : 0));
      break;
    case ValueCoding::sign: {
      double sum = 0;
      for (float value : values) sum += std::fabs(static_cast<double>(value));
      append(message, static_cast<float>(sum / static_cast<double>(values.size())));
      LowBitWriter bits(message);
      for (float value : values) bits.put(value < 0 ? 1 : 0, 1);
      bits.finish();
      break;
    }
  }
}

std::vector<float> read_coded(std::span<const std::byte> message, std::uint64_t count, ValueCoding coding) {
  expect_message_size(kKind, message, coded_value_bytes(coding, count));
  if (coding == ValueCoding::fp32) return read_values<float>(message, 0, count);
  std::vector<float> values;
  values.reserve(count);
  if (coding == ValueCoding::fp16 || coding == ValueCoding::bf16) {
    for (std::uint16_t bits : read_values<std::uint16_t>(message, 0, count))
      values.push_back(coding == ValueCoding::fp16 ? fp16_value(bits) : bf16_value(bits));
    return values;
  }
  float scale = read_values<float>(message, 0, 1)[0];
  if (!(scale >= 0 && std::isfinite(scale))) refuse_message(kKind, "has no scale where one is due");
  if (coding == ValueCoding::int8)
    for (std::int8_t level : read_values<std::int8_t>(message, 4, count))
      values.push_back(static_cast<float>(level) / 127 * scale);
  else
    for (LowBitReader bits(message.subspan(4)); values.size() < count;)
      values.push_back(bits.get(1) ? -scale : scale);
  return values;
}

}  // namespace

Message write_indices(std::span<const Index> indices, std::uint64_t numel, IndexCoding coding) {
  Message message;
  append_indices(message, indices, numel, coding);
  return message;
}

std::vector<Index> read_indices(std::span<const std::byte> message, std::uint64_t count, std::uint64_t numel,
                                IndexCoding coding) {
  std::vector<Index> indices = take_indices(message, count, numel, coding);
  if (!message.empty()) refuse_message(kKind, "goes on behind its last index");
  return indices;
}

Bytes coded_value_bytes(ValueCoding coding, std::uint64_t count) {
  if (count == 0) return 0;
  switch (coding) {
    case ValueCoding::fp32: return 4 * count;
    case ValueCoding::fp16:
    case ValueCoding::bf16: return 2 * count;
    case ValueCoding::int8: return 4 + count;
    case ValueCoding::sign: return 4 + bytes_of_bits(count);
  }
  return 0;
}

bool fixed_size(SparseFormat format) { return format.index != IndexCoding::elias; }

Message write_sparse(std::span<const Index> indices, std::span<const float> values, std::uint64_t numel,
                     SparseFormat format, bool known) {
  Message message;
  if (indices.empty()) return message;
  if (!known && begins_with_count(format)) append(message, static_cast<std::uint32_t>(indices.size()));
  append_indices(message, indices, numel, format.index);
  write_values(message, values, format.value);
  return message;
}

SparseVector read_sparse(std::span<const std::byte> message, std::uint64_t numel, SparseFormat format,
                         std::optional<std::uint64_t> known) {
  SparseVector sent;
  if (message.empty() && known.value_or(0) == 0) return sent;
  std::uint64_t count = 0;
  if (known) {
    count = *known;
  } else if (begins_with_count(format)) {
    if (message.size() < 4) refuse_message(kKind, "ends within its count");
    count = read_values<std::uint32_t>(message, 0, 1)[0];
    message = message.subspan(4);
  } else if (format.index == IndexCoding::bitmap) {
    if (message.size() < bytes_of_bits(numel)) refuse_message(kKind, "ends within its bitmap");
    for (std::byte byte : message.first(bytes_of_bits(numel)))
      count += static_cast<std::uint64_t>(std::popcount(std::to_integer<unsigned>(byte)));
  } else {  // so many bytes an entry, and a scale before int8
    std::uint64_t scale = format.value == ValueCoding::int8 ? 4 : 0;
    std::uint64_t entry = index_bytes(format.index, 1, numel) + coded_value_bytes(format.value, 1) - scale;
    if (message.size() < scale || (message.size() - scale) % entry != 0)
      refuse_message(kKind, "of " + std::to_string(message.size()) + " bytes is no number of entries of " +
                                std::to_string(entry));
    count = (message.size() - scale) / entry;
  }
  if (count == 0 || count > numel)
    refuse_message(kKind, "says " + std::to_string(count) + " entries of " + std::to_string(numel));
  sent.indices = take_indices(message, count, numel, format.index);
  sent.values = read_coded(message, count, format.value);
  return sent;
}

IndexCoding index_coding(const Parameters& parameters) {
  const std::string& index = parameters.word("index");
  return index == "int32"    ? IndexCoding::int32
         : index == "int64"  ? IndexCoding::int64
         : index == "bitmap" ? IndexCoding::bitmap
                             : IndexCoding::elias;
}

SparseFormat sparse_format(const Parameters& parameters) {
  const std::string& value = parameters.word("value");
  SparseFormat format;
  format.index = index_coding(parameters);
  format.value = value == "fp32"   ? ValueCoding::fp32
                 : value == "fp16" ? ValueCoding::fp16
                 : value == "bf16" ? ValueCoding::bf16
                 : value == "int8" ? ValueCoding::int8
                                   : ValueCoding::sign;
  return format;
}

}  // namespace traincast
