// Methods that differ only in which entries they choose: a selector under one message format.
#pragma once

#include <memory>
#include <optional>

#include "base/parameters.hpp"
#include "compressors/compressor.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {

class Selector {
 public:
  virtual ~Selector() = default;
  /// Rising places of what is sent.
  virtual std::vector<Index> select(std::span<const float> values, const Call& call) = 0;
  /// How many, where that follows from the vector's length.
  virtual std::optional<std::uint64_t> count(std::uint64_t) const { return {}; }
  /// What values are multiplied with before they are sent; other than 1 for unbiased methods.
  virtual float gain(std::uint64_t) const { return 1; }
  virtual bool unbiased() const { return false; }
  /// How many entries are expected, for the work of decoding.
  virtual std::uint64_t expected(std::uint64_t numel) const { return count(numel).value_or(0); }
  virtual std::vector<Work> work(std::uint64_t numel) const = 0;
  virtual void save(Writer&) const {}
  virtual void load(Reader&) {}
};

std::unique_ptr<Codec> make_sparse_codec(std::unique_ptr<Selector> selector, SparseFormat format);

/// Rows of a method's parameter table.
inline constexpr Parameter kIndexParameter{
    "index", Unit::word, "int32|int64|bitmap|elias", "int32",
    "indices on the wire: 4 or 8 bytes each, one bit for each element, or gaps in Elias's delta code "
    "(places in chunks need one entry in every chunk: 'scalecom' has them)"};
inline constexpr Parameter kValueParameter{
    "value", Unit::word, "fp32|fp16|bf16|int8|sign", "fp32",
    "values on the wire; int8: multiples of the largest magnitude / 127; sign: mean magnitude and signs"};
inline constexpr Parameter kScopeParameter{"scope", Unit::word, "tensor|bucket|model", "tensor",
                                           "among what the entries are chosen"};

Coupling scope_of(const Parameters& parameters);

}  // namespace traincast
