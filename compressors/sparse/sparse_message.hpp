// Sparse vectors as bytes: how indices and how values are coded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "compressors/codec.hpp"

namespace traincast {

class Parameters;

enum class IndexCoding {
  int32,
  int64,   ///< as torch.topk's indices are sent (GRACE, the default of DGC's code)
  bitmap,  ///< one bit an element
  elias,   ///< gaps in Elias's delta code
};
enum class ValueCoding {
  fp32,
  fp16,
  bf16,
  int8,  ///< multiples of the largest magnitude / 127, which goes with them
  sign,  ///< the mean magnitude and a bit each (sparse ternary compression, Sattler et al. 2019)
};

struct SparseFormat {
  IndexCoding index = IndexCoding::int32;
  ValueCoding value = ValueCoding::fp32;
};

/// Indices, then values. A message of a count that neither its length nor the receiver knows begins with it
/// (four bytes); nothing to send is an empty message. `known`: the receiver can tell the count.
Message write_sparse(std::span<const Index> indices, std::span<const float> values, std::uint64_t numel,
                     SparseFormat format, bool known);
/// Throws InputError where these bytes are no such message of rising indices below `numel`, or not of `count`
/// of them.
SparseVector read_sparse(std::span<const std::byte> message, std::uint64_t numel, SparseFormat format,
                         std::optional<std::uint64_t> count);

/// Indices alone, rising and below `numel`, as the index coding has them.
Message write_indices(std::span<const Index> indices, std::uint64_t numel, IndexCoding coding);
/// Throws InputError where these bytes are no such message of `count` indices.
std::vector<Index> read_indices(std::span<const std::byte> message, std::uint64_t count, std::uint64_t numel,
                                IndexCoding coding);

/// Bytes of `count` coded values.
Bytes coded_value_bytes(ValueCoding coding, std::uint64_t count);

/// Whether the length of a message follows from its number of entries.
bool fixed_size(SparseFormat format);

/// Of the parameter "index".
IndexCoding index_coding(const Parameters& parameters);
/// Of the parameters "index" and "value".
SparseFormat sparse_format(const Parameters& parameters);

}  // namespace traincast
