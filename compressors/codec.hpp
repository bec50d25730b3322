// A method that sends one message per learner and call: encode a vector, decode what arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/group.hpp"

namespace traincast {

/// What a message says: values at these indices (ascending, zero elsewhere), or, where `dense`, of all
/// elements.
struct Decoded {
  bool dense = false;
  std::vector<Index> indices;
  std::vector<float> values;

  void add_to(std::span<float> into) const;
};

class Codec {
 public:
  virtual ~Codec() = default;
  /// Whether the message's size follows from `numel` alone.
  virtual bool size_follows_from_shape() const { return false; }
  /// The message as it would travel; its size is the buffer's length.
  virtual Message encode(std::span<const float> values) const = 0;
  /// Throws InputError where these bytes cannot be the message of a vector of `numel` elements.
  virtual Decoded decode(std::span<const std::byte> message, std::uint64_t numel) const = 0;
  /// Of a message, the bytes that are gradient values.
  virtual Bytes value_bytes(const Message& message) const = 0;
  virtual std::vector<Work> encode_work(std::uint64_t numel) const = 0;
  /// Decoding the messages of all learners.
  virtual std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const = 0;
};

}  // namespace traincast
