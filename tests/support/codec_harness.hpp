// A method's codec by itself, with random draws put in by the test.
#pragma once

#include <cstring>

#include "compressors/codec.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast {

/// Numbers of [0, 1) by place; the last goes on for ever.
class GivenDraws final : public Draws {
 public:
  explicit GivenDraws(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::uint64_t first, std::span<std::uint32_t> into) const override {
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = static_cast<std::uint32_t>(numbers_[std::min(numbers_.size() - 1, first + i)] * 0x1p32);
  }

 private:
  std::vector<double> numbers_;
};

class CodecRun {
 public:
  /// Draws of the learner; what all learners share is 0 everywhere (no sign of a rotation flips).
  explicit CodecRun(std::string_view json, Bucket unit = one_tensor({8}), std::vector<double> draws = {0})
      : unit_(std::move(unit)), method_(make_compressor(json)), own_(std::move(draws)) {}

  Message encode(const Vector& values) { return method_->codec()->encode(values, call()); }
  Decoded decode(std::span<const std::byte> message) const {
    return method_->codec()->decode(message, call());
  }
  /// What the message of this vector says, as a dense vector.
  Vector sent(const Vector& values) {
    Vector dense(values.size(), 0.0f);
    decode(encode(values)).add_to(dense);
    return dense;
  }

 private:
  Call call() const { return {unit_, unit_.numel(), 0, 0, own_, shared_}; }

  Bucket unit_;
  std::unique_ptr<Compressor> method_;
  GivenDraws own_, shared_{{0}};
};

/// The vector of the golden numbers: all values exact in binary.
inline const Vector kGolden = {0.5f, -1, 2, -0.25f, 0, 1.5f, -3, 0.125f};

inline std::vector<int> bytes_of(const Message& message) {
  std::vector<int> bytes;
  for (std::byte byte : message) bytes.push_back(std::to_integer<int>(byte));
  return bytes;
}
inline std::uint32_t word_at(const Message& message, std::size_t at) {
  std::uint32_t word;
  std::memcpy(&word, message.data() + at, sizeof word);
  return word;
}
inline float float_at(const Message& message, std::size_t at) {
  float value;
  std::memcpy(&value, message.data() + at, sizeof value);
  return value;
}

}  // namespace traincast
