// Natural compression: magnitudes rounded at random to one of the two powers of two beside them.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "natural compression";
constexpr std::uint32_t kLowest = 18;  // biased exponent that code 0 of a byte stands for

/// The biased exponent after rounding: up with the probability of the fraction. Numbers below the smallest
/// normal one become it or zero.
std::uint32_t rounded_exponent(float value, std::uint32_t draw) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  std::uint32_t exponent = (bits >> 23) & 0xff, fraction = bits & 0x7fffff;
  return std::min(exponent + ((draw >> 9) < fraction ? 1 : 0), 254u);
}

/// ±2^(exponent − 127), or zero.
float signed_power(std::uint32_t exponent, std::uint32_t negative) {
  return std::bit_cast<float>((negative << 31) | (exponent << 23));
}

constexpr std::size_t kBlock = 1024;

/// Eight codes of nine bits in nine bytes, lowest first; and back.
void pack_eight(const std::uint32_t* codes, std::uint8_t* nine) {
  std::uint64_t low = 0;
  for (unsigned j = 0; j < 8; ++j) low |= std::uint64_t{codes[j]} << (9 * j);
  std::memcpy(nine, &low, sizeof low);
  nine[8] = static_cast<std::uint8_t>(codes[7] >> 1);
}
void unpack_eight(const std::uint8_t* nine, std::uint32_t* codes) {
  std::uint64_t low;
  std::memcpy(&low, nine, sizeof low);
  for (unsigned j = 0; j < 7; ++j) codes[j] = (low >> (9 * j)) & 0x1ff;
  codes[7] = static_cast<std::uint32_t>(low >> 63) | (std::uint32_t{nine[8]} << 1);
}

// bytes: sign and exponent − 18, cut to 0 … 127, where 0 stands for zero (GRACE). exact: sign and exponent in
// nine bits, lowest first (the paper).
class Natural final : public DenseCodec {
 public:
  explicit Natural(bool bytes) : DenseCodec(bytes ? 8 : 9, 0), bytes_(bytes) {}
  /// Of numbers within the range of a byte's exponents, 2^−108 to 2^18.
  bool unbiased() const override { return true; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message(bytes_of_bits(values.size() * bits()));
    auto* out = reinterpret_cast<std::uint8_t*>(message.data());
    std::uint32_t drawn[kBlock], codes[kBlock];
    for (std::uint64_t begin = 0; begin < values.size(); begin += kBlock) {
      const std::size_t size = std::min<std::uint64_t>(kBlock, values.size() - begin);
      call.own.fill(begin, {drawn, size});
      for (std::size_t i = 0; i < size; ++i) {
        const float value = values[begin + i];
        std::uint32_t exponent = rounded_exponent(value, drawn[i]), negative = value < 0;
        codes[i] = bytes_ ? (negative << 7) | (std::clamp(exponent, kLowest, kLowest + 127) - kLowest)
                          : (negative << 8) | exponent;
      }
      if (bytes_) {
        for (std::size_t i = 0; i < size; ++i) out[begin + i] = static_cast<std::uint8_t>(codes[i]);
        continue;
      }
      std::fill(codes + size, std::end(codes), 0u);
      for (std::size_t i = 0; i < size; i += 8) {
        std::uint8_t nine[9];
        pack_eight(codes + i, nine);
        const std::uint64_t at = (begin + i) / 8 * 9;
        std::copy_n(nine, std::min<std::uint64_t>(9, message.size() - at), out + at);
      }
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    if (bytes_) return expect_message_size(kKind, message, call.numel);
    check_codes(kKind, message, call.numel, bits());
  }

  void piece(std::span<const std::byte> message, const Call&, std::uint64_t begin,
             std::span<float> into) const override {
    const auto* in = reinterpret_cast<const std::uint8_t*>(message.data());
    if (bytes_) {
      for (std::size_t i = 0; i < into.size(); ++i) {
        const std::uint32_t code = in[begin + i], exponent = code & 0x7f;
        into[i] = signed_power(exponent == 0 ? 0 : exponent + kLowest, code >> 7);
      }
      return;
    }
    std::uint32_t beyond = 0, codes[kPiece];
    for (std::size_t i = 0; i < into.size(); i += 8) {
      std::uint8_t nine[9] = {};
      const std::uint64_t at = (begin + i) / 8 * 9;
      std::memcpy(nine, in + at, std::min<std::uint64_t>(9, message.size() - at));
      unpack_eight(nine, codes + i);
    }
    for (std::size_t i = 0; i < into.size(); ++i) {
      beyond |= (codes[i] & 0xff) == 255;
      into[i] = signed_power(codes[i] & 0xff, codes[i] >> 8);
    }
    if (beyond) refuse_message(kKind, "has an exponent beyond all numbers");
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size(); }

 private:
  bool bytes_;
};

constexpr Parameter kParameters[] = {
    {"coding", Unit::word, "exact|bytes", "exact",
     "nine bits: sign and exponent; or a byte with exponents of 2^−108 to 2^18, as GRACE sends"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return make_gathered(std::make_unique<Natural>(parameters.word("coding") == "bytes"), Coupling::tensor, {},
                       seed);
}

}  // namespace

const Entry<MakeCompressor> kNaturalMethod{
    "natural", "powers of two, rounded at random, unbiased; gathered",
    "Horváth et al. 2019 (Natural compression, arXiv 1905.10988), Definition 1", kParameters, make};

}  // namespace traincast
