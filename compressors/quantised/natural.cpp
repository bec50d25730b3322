// Natural compression: magnitudes rounded at random to one of the two powers of two beside them.
#include <bit>
#include <cmath>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
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

float power(std::uint32_t exponent) { return exponent == 0 ? 0 : std::bit_cast<float>(exponent << 23); }

// bytes: sign and exponent − 18, cut to 0 … 127, where 0 stands for zero (GRACE). exact: sign and exponent in
// nine bits, lowest first (the paper).
class Natural final : public DenseCodec {
 public:
  explicit Natural(bool bytes) : DenseCodec(bytes ? 8 : 9, 0), bytes_(bytes) {}
  /// Of numbers within the range of a byte's exponents, 2^−108 to 2^18.
  bool unbiased() const override { return true; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    LowBitWriter packed(message);
    for_each_draw(call.own, values.size(), [&](std::uint64_t i, std::uint32_t draw) {
      std::uint32_t exponent = rounded_exponent(values[i], draw), negative = values[i] < 0;
      if (bytes_)
        packed.put((negative << 7) | (std::clamp(exponent, kLowest, kLowest + 127) - kLowest), 8);
      else
        packed.put((negative << 8) | exponent, 9);
    });
    packed.finish();
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    expect_message_size(kKind, message, bytes_of_bits(call.numel * bits()));
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    LowBitReader packed(message);
    for (float& value : sent.values) {
      std::uint32_t code = packed.get(bits()), exponent = code & (bytes_ ? 0x7f : 0xff);
      if (!bytes_ && exponent == 255) refuse_message(kKind, "has an exponent beyond all numbers");
      value = power(!bytes_ || exponent == 0 ? exponent : exponent + kLowest);
      if (code >> (bits() - 1)) value = -value;
    }
    if (!packed.filled_with_zeros()) refuse_message(kKind, "is not filled with zeros");
    return sent;
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
