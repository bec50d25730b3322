// TernGrad: −1, 0 or 1 times the largest magnitude, drawn so that the expectation is exact.
#include <algorithm>
#include <cmath>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/integer_sum.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "TernGrad";

/// Values beyond so many standard deviations (about the mean) are cut there; 0: none.
float clip_limit(std::span<const float> values, double factor) {
  if (factor == 0 || values.empty()) return HUGE_VALF;
  auto count = static_cast<double>(values.size());
  double mean = kernels().sum(values.data(), values.size()) / count;
  double square = kernels().sum_of_squares(values.data(), values.size()) / count;
  return static_cast<float>(factor * std::sqrt(std::max(0.0, square - mean * mean)));
}

/// −1, 0 or 1: the sign with probability min(|g|, limit) / scale.
int ternary(float value, float limit, float scale, std::uint32_t draw) {
  bool kept = unit_interval(draw) * scale < std::min(std::fabs(value), limit);
  return kept ? (value < 0 ? -1 : 1) : 0;
}

// Four bytes of scale, then two bits an element: those of the four quarters of the vector beside each other
// in a byte. The vector is padded by 1 to 4 elements, as the authors' encoder always does. `bytes`: an int8
// each.
class TernaryCodec final : public DenseCodec {
 public:
  TernaryCodec(double clip, bool bytes) : DenseCodec(bytes ? 8 : 2, 2), clip_(clip), bytes_(bytes) {}
  bool unbiased() const override { return clip_ == 0; }

  Message encode(std::span<const float> values, const Call& call) override {
    const float limit = clip_limit(values, clip_);
    const float scale = std::min(limit, kernels().largest_magnitude(values.data(), values.size()));
    Message message;
    append(message, scale);
    const std::uint64_t body = body_bytes(values.size());
    message.resize(4 + body);
    std::byte* out = message.data() + 4;
    for_each_draw(call.own, values.size(), [&](std::uint64_t i, std::uint32_t draw) {
      int sign = ternary(values[i], limit, scale, draw);
      if (bytes_)
        out[i] = std::byte(static_cast<std::uint8_t>(sign));
      else
        out[i % body] |= std::byte((sign & 3) << (2 * (i / body)));
    });
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t body = body_bytes(call.numel);
    expect_message_size(kKind, message, 4 + body);
    const float scale = checked_scale(kKind, read_values<float>(message, 0, 1)[0]);
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    for (std::uint64_t i = 0; i < (bytes_ ? call.numel : 4 * body); ++i) {
      int sign = 0;
      if (bytes_) {
        sign = static_cast<std::int8_t>(message[4 + i]);
      } else {
        unsigned code = (std::to_integer<unsigned>(message[4 + i % body]) >> (2 * (i / body))) & 3;
        sign = code == 3 ? -1 : static_cast<int>(code);
      }
      if (sign < -1 || sign > 1) refuse_message(kKind, "has a code that is none of −1, 0 and 1");
      if (i < call.numel)
        sent.values[i] = static_cast<float>(sign) * scale;
      else if (sign != 0)
        refuse_message(kKind, "is not filled with zeros");
    }
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size() - 4; }

 private:
  std::uint64_t body_bytes(std::uint64_t numel) const { return bytes_ ? numel : numel / 4 + 1; }

  double clip_;
  bool bytes_;
};

class SharedTernary final : public IntegerLevels {
 public:
  explicit SharedTernary(double clip) : clip_(clip) {}
  std::uint64_t most() const override { return 1; }
  bool unbiased() const override { return clip_ == 0; }
  float scale_of(std::span<const float> values) const override {
    return std::min(clip_limit(values, clip_), kernels().largest_magnitude(values.data(), values.size()));
  }
  void levels(std::span<const float> values, float scale, const Draws& draws,
              std::span<float> out) const override {
    const float limit = clip_limit(values, clip_);
    for_each_draw(draws, values.size(), [&](std::uint64_t i, std::uint32_t draw) {
      out[i] = static_cast<float>(ternary(values[i], limit, scale, draw));
    });
  }

 private:
  double clip_;
};

constexpr Parameter kParameters[] = {
    {"clip", Unit::ratio, "[0, 100]", "2.5", "standard deviations at which values are cut; 0: not at all"},
    {"scale", Unit::word, "local|shared", "local",
     "local: each learner's largest magnitude, gathered; shared: the largest of all, so that integers can be "
     "summed in flight"},
    {"coding", Unit::word, "packed|bytes", "packed",
     "local scale: two bits an element, as the authors' encoder, or a byte, as GRACE sends"},
};

// Wen et al. 2017, Algorithm 1 and section 3.3 (scaler sharing, gradient clipping).
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  double clip = parameters.number("clip");
  bool bytes = parameters.word("coding") == "bytes";
  if (parameters.word("scale") == "local")
    return make_gathered(std::make_unique<TernaryCodec>(clip, bytes), Coupling::tensor, {}, seed);
  if (bytes) throw InputError("'coding' is \"bytes\", but with 'scale' \"shared\" integers are summed");
  return make_integer_sum(std::make_unique<SharedTernary>(clip), {}, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kTernGradMethod{
    "terngrad", "ternary values at the largest magnitude, unbiased before clipping; gathered or summed",
    "Wen et al. 2017 (TernGrad, arXiv 1705.07878), Algorithm 1 and section 3.3", kParameters, make};

}  // namespace traincast
