// A method that sends one message per learner and call: encode a vector, decode what arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "base/serial.hpp"
#include "compressors/draws.hpp"
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

/// What a codec knows besides the vector.
struct Call {
  const Bucket& unit;
  std::uint64_t numel;  ///< of the unit
  std::uint64_t step;   ///< counted from the first step of training
  LearnerId learner;    ///< whose message it is
  const Draws& own;     ///< random numbers of this learner, this step and this unit; for encoding only
  const Draws& shared;  ///< the same numbers at every learner
};

class PieceCodec;

class Codec {
 public:
  virtual ~Codec() = default;
  /// This codec, where its messages can be decoded piece by piece.
  virtual const PieceCodec* in_pieces() const { return nullptr; }
  /// Whether messages decode to dense vectors.
  virtual bool dense() const { return false; }
  /// Whether the message's size follows from the unit's shape alone.
  virtual bool size_follows_from_shape() const { return false; }
  /// Whether the expectation of what is decoded is what was encoded.
  virtual bool unbiased() const { return false; }
  /// Whether a multiple of a vector decodes to that multiple; not where only signs are sent.
  virtual bool scales() const { return true; }
  /// The message as it would travel; its size is the buffer's length.
  virtual Message encode(std::span<const float> values, const Call& call) = 0;
  /// Throws InputError where these bytes cannot be the message of a vector of this unit.
  virtual Decoded decode(std::span<const std::byte> message, const Call& call) const = 0;
  /// Of a message, the bytes that are gradient values.
  virtual Bytes value_bytes(const Message& message, const Call& call) const = 0;
  virtual std::vector<Work> encode_work(std::uint64_t numel) const = 0;
  /// Decoding the messages of all learners.
  virtual std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const = 0;
  /// The same for a unit, where the work depends on its shape.
  virtual std::vector<Work> encode_work_of(const Bucket& unit) const { return encode_work(unit.numel()); }
  virtual std::vector<Work> decode_work_of(const Bucket& unit, std::uint32_t learners) const {
    return decode_work(unit.numel(), learners);
  }
  /// What a codec keeps from step to step (thresholds that adapt, say).
  virtual void save(Writer&) const {}
  virtual void load(Reader&) {}
};

/// Dense messages whose elements can be told from any multiple of kPiece on: decoding takes no vector of its
/// own.
class PieceCodec : public Codec {
 public:
  static constexpr std::size_t kPiece = 2048;

  const PieceCodec* in_pieces() const override { return this; }
  bool dense() const override { return true; }
  Decoded decode(std::span<const std::byte> message, const Call& call) const override;
  /// Throws InputError where length, fill or scales are those of no message of this unit.
  virtual void check(std::span<const std::byte> message, const Call& call) const = 0;
  /// Of a checked message the elements from `begin` on, kPiece or, at the end, fewer. Throws InputError where
  /// they have codes that nobody writes.
  virtual void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
                     std::span<float> into) const = 0;
};

/// The random numbers of one call of aggregate.
class UnitDraws {
 public:
  UnitDraws(std::uint64_t seed, std::uint64_t step, std::uint32_t unit);
  const KeyedDraws& shared() const { return shared_; }
  KeyedDraws own(LearnerId learner) const;

 private:
  StreamKey key_;
  KeyedDraws shared_;
};

/// The refusal of a message: "KIND message …" + why.
[[noreturn]] void refuse_message(const char* kind, const std::string& why);
void expect_message_size(const char* kind, std::span<const std::byte> message, std::uint64_t size);

/// Values as bytes, one after another; and back, checked by the caller.
template <class T>
void append(Message& message, std::span<const T> values) {
  std::size_t begin = message.size();
  message.resize(begin + values.size_bytes());
  if (!values.empty()) std::memcpy(message.data() + begin, values.data(), values.size_bytes());
}
template <class T>
void append(Message& message, const T& value) {
  append(message, std::span<const T>(&value, 1));
}
inline void append(Message& message, const Message& more) {
  append(message, std::span<const std::byte>(more));
}
/// The value at a place that the caller knows to be within.
template <class T>
T value_at(std::span<const std::byte> message, std::uint64_t at) {
  T value;
  std::memcpy(&value, message.data() + at, sizeof value);
  return value;
}
template <class T>
std::vector<T> read_values(std::span<const std::byte> message, std::uint64_t at, std::uint64_t count) {
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), message.data() + at, count * sizeof(T));
  return values;
}

}  // namespace traincast
