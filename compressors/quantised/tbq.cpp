// Threshold binary quantisation: −τ, 0 or τ, and what is left stays in the memory.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/json.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "threshold";

/// How codes stand on the wire.
enum class Layout {
  mxnet,     ///< two bits, the first element in the highest; zero 00, τ 11, −τ 10
  hipress,   ///< two bits, the first element in the lowest; zero 01, τ 10, −τ 00
  mxnet_one  ///< one bit, the first element in the highest: 1 above τ, −1 else
};

// The last byte is filled with codes of zero.
class Threshold final : public DenseCodec {
 public:
  Threshold(float threshold, Layout layout)
      : DenseCodec(layout == Layout::mxnet_one ? 1 : 2, 0), threshold_(threshold), layout_(layout) {}

  Message encode(std::span<const float> values, const Call&) override {
    Message message(bytes_of_bits(values.size() * bits()));
    auto* out = reinterpret_cast<std::uint8_t*>(message.data());
    std::uint8_t codes[kPiece], packed[kPiece / 4];
    for (std::size_t begin = 0; begin < values.size(); begin += kPiece) {
      const std::size_t size = std::min(kPiece, values.size() - begin), whole = (size + 7) / 8 * 8;
      write_codes(values.subspan(begin, size), codes);
      std::fill(codes + size, codes + whole, zero());
      kernels().pack(codes, whole, bits(), packed);
      if (layout_ != Layout::hipress) turn({packed, whole * bits() / 8});
      std::copy_n(packed, bytes_of_bits(size * bits()), out + begin * bits() / 8);
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    expect_message_size(kKind, message, bytes_of_bits(call.numel * bits()));
    if (message.empty()) return;
    std::uint8_t codes[8];
    const std::size_t in_last = 8 / bits();
    read(message.last(1), {codes, in_last});
    for (std::uint64_t i = call.numel; i < in_last * message.size(); ++i)
      if (codes[i % in_last] != zero()) refuse_message(kKind, "is not filled with zeros");
  }

  void piece(std::span<const std::byte> message, const Call&, std::uint64_t begin,
             std::span<float> into) const override {
    std::uint8_t codes[kPiece];
    read(message.subspan(begin * bits() / 8, bytes_of_bits(into.size() * bits())), {codes, into.size()});
    unsigned wrong = 0;
    if (layout_ == Layout::mxnet)  // to 0, 1 and 2, as hipress has them
      for (std::size_t i = 0; i < into.size(); ++i) {
        wrong |= codes[i] == 1;
        codes[i] = codes[i] == 3 ? 2 : codes[i] == 2 ? 0 : 1;
      }
    else
      for (std::size_t i = 0; i < into.size(); ++i) wrong |= codes[i] == 3;
    if (layout_ == Layout::mxnet_one)
      kernels().values(codes, into.size(), 0.5f, 2, into.data());
    else
      kernels().values(codes, into.size(), 1, threshold_, into.data());
    if (wrong) refuse_message(kKind, "has a code that is none of −τ, 0 and τ");
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size(); }
  bool scales() const override { return false; }

 private:
  std::uint8_t high() const { return layout_ == Layout::mxnet ? 3 : layout_ == Layout::hipress ? 2 : 1; }
  std::uint8_t low() const { return layout_ == Layout::mxnet ? 2 : 0; }
  std::uint8_t zero() const { return layout_ == Layout::hipress ? 1 : 0; }

  void write_codes(std::span<const float> values, std::uint8_t* codes) const {
    const std::uint8_t up = high(), down = low(), none = zero();
    const float threshold = threshold_;
    if (layout_ == Layout::mxnet_one)
      for (std::size_t i = 0; i < values.size(); ++i) codes[i] = values[i] > threshold ? up : down;
    else
      for (std::size_t i = 0; i < values.size(); ++i)
        codes[i] = values[i] >= threshold ? up : values[i] <= -threshold ? down : none;
  }

  /// Between the first code lowest and the first code highest.
  void turn(std::span<std::uint8_t> packed) const {
    for (std::uint8_t& byte : packed) {
      auto x = static_cast<unsigned>(byte);
      x = (x & 0x0f) << 4 | x >> 4;
      x = (x & 0x33) << 2 | (x >> 2 & 0x33);
      if (bits() == 1) x = (x & 0x55) << 1 | (x >> 1 & 0x55);
      byte = static_cast<std::uint8_t>(x);
    }
  }
  void read(std::span<const std::byte> message, std::span<std::uint8_t> codes) const {
    std::uint8_t packed[kPiece / 4];
    std::memcpy(packed, message.data(), message.size());
    if (layout_ != Layout::hipress) turn({packed, message.size()});
    read_codes(std::as_bytes(std::span(packed)), 0, bits(), codes);
  }

  float threshold_;
  Layout layout_;
};

constexpr Parameter kParameters[] = {
    {"threshold", Unit::ratio, "[0, inf)", "0.5",
     "τ: the magnitude from which a value is sent, and as which; of mxnet_one the border between −1 and 1"},
    {"layout", Unit::word, "mxnet|hipress|mxnet_one", "mxnet",
     "how codes stand in a byte; mxnet_one: MXNet's 1-bit, −1 or 1 whatever the threshold"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  const std::string& word = parameters.word("layout");
  const Layout layout = word == "mxnet"     ? Layout::mxnet
                        : word == "hipress" ? Layout::hipress
                                            : Layout::mxnet_one;
  const auto threshold = static_cast<float>(parameters.number("threshold"));
  if (layout != Layout::mxnet_one && !(threshold > 0 && std::isfinite(threshold)))
    throw InputError(
        "'threshold' must be a float above 0 and below infinity where values are sent as it, got " +
        Json(parameters.number("threshold")).dump(-1));
  return make_gathered(std::make_unique<Threshold>(threshold, layout), Coupling::tensor,
                       {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kTbqMethod{
    "tbq", "two bits: −τ, 0 or τ (or one: −1 or 1), with local error feedback; gathered",
    "Strom 2015 (Scalable distributed DNN training, Interspeech); MXNet's 2-bit and 1-bit, and HiPress's TBQ",
    kParameters, make};

}  // namespace traincast
