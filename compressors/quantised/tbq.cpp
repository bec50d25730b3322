// Threshold binary quantisation: −τ, 0 or τ, and what is left stays in the memory.
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "2-bit";

// Two bits an element. hipress: element k of a byte in bits 2k and 2k + 1; zero 01, τ 10, −τ 00. mxnet: the
// first element in the highest bits; zero 00, τ 11, −τ 10. The last byte is filled with zeros of the code.
class TwoBit final : public DenseCodec {
 public:
  TwoBit(float threshold, bool hipress) : DenseCodec(2, 0), threshold_(threshold), hipress_(hipress) {}

  Message encode(std::span<const float> values, const Call&) override {
    Message message((values.size() + 3) / 4, hipress_ ? std::byte(0x55) : std::byte(0));
    for (std::size_t i = 0; i < values.size(); ++i) {
      int level = values[i] >= threshold_ ? 1 : values[i] <= -threshold_ ? -1 : 0;
      message[i / 4] = (message[i / 4] & ~std::byte(3u << shift(i))) | std::byte(code_of(level) << shift(i));
    }
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    expect_message_size(kKind, message, (call.numel + 3) / 4);
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    for (std::size_t i = 0; i < 4 * message.size(); ++i) {
      unsigned code = (std::to_integer<unsigned>(message[i / 4]) >> shift(i)) & 3;
      if (i >= call.numel && code != code_of(0)) refuse_message(kKind, "is not filled with zeros");
      if (code == code_of(1) || code == code_of(-1)) {
        if (i < call.numel) sent.values[i] = code == code_of(1) ? threshold_ : -threshold_;
      } else if (code != code_of(0)) {
        refuse_message(kKind, "has a code that is none of −τ, 0 and τ");
      }
    }
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size(); }
  bool scales() const override { return false; }

 private:
  unsigned shift(std::size_t i) const {
    return static_cast<unsigned>(hipress_ ? 2 * (i % 4) : 6 - 2 * (i % 4));
  }
  unsigned code_of(int level) const {
    if (hipress_) return static_cast<unsigned>(level + 1);
    return level == 0 ? 0 : level > 0 ? 3 : 2;
  }

  float threshold_;
  bool hipress_;
};

constexpr Parameter kParameters[] = {
    {"threshold", Unit::ratio, "(0, inf)", "0.5",
     "τ: the magnitude from which a value is sent, and as which"},
    {"layout", Unit::word, "mxnet|hipress", "mxnet", "how codes stand in a byte"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec = std::make_unique<TwoBit>(static_cast<float>(parameters.number("threshold")),
                                        parameters.word("layout") == "hipress");
  return make_gathered(std::move(codec), Coupling::tensor, {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kTbqMethod{
    "tbq", "two bits: −τ, 0 or τ, with local error feedback; gathered",
    "Strom 2015 (Scalable distributed DNN training, Interspeech); MXNet's 2-bit and HiPress's TBQ",
    kParameters, make};

}  // namespace traincast
