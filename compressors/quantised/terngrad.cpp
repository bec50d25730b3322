// TernGrad: −1, 0 or 1 times the largest magnitude, drawn so that the expectation is exact.
#include <algorithm>
#include <cmath>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/integer_sum.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "TernGrad";

struct Range {
  float limit;  ///< values beyond are cut there: so many standard deviations (about the mean); 0: none
  float scale;  ///< the largest magnitude after that
};

Range range_of(std::span<const float> values, double clip) {
  double sum = 0, squares = 0;
  float largest = 0;
  kernels().moments(values.data(), values.size(), &sum, &squares, &largest);
  if (clip == 0 || values.empty()) return {HUGE_VALF, largest};
  auto count = static_cast<double>(values.size());
  double mean = sum / count, variance = std::max(0.0, squares / count - mean * mean);
  auto limit = static_cast<float>(clip * std::sqrt(variance));
  return {limit, std::min(limit, largest)};
}

/// Codes 0, 1 and 3 (for −1) of a block: the sign with probability min(|g|, limit) / scale.
void ternary(std::span<const float> values, float limit, float scale, std::uint64_t begin, const Draws& draws,
             std::uint8_t* codes) {
  std::uint32_t drawn[kCodeBlock];
  draws.fill(begin, {drawn, values.size()});
  kernels().ternary(values.data(), drawn, values.size(), limit, scale, codes);
}

/// −1, 0 and 1 of the codes.
int sign_of(std::uint8_t code) { return code == 3 ? -1 : code; }

// Four bytes of scale, then two bits an element: those of the four quarters of the vector beside each other
// in a byte. The vector is padded by 1 to 4 elements, as the authors' encoder always does. `bytes`: an int8
// each.
class TernaryCodec final : public DenseCodec {
 public:
  TernaryCodec(double clip, bool bytes) : DenseCodec(bytes ? 8 : 2, 2), clip_(clip), bytes_(bytes) {}
  bool unbiased() const override { return clip_ == 0; }

  Message encode(std::span<const float> values, const Call& call) override {
    const auto [limit, scale] = range_of(values, clip_);
    Message message;
    append(message, scale);
    const std::uint64_t body = body_bytes(values.size());
    message.resize(4 + body);
    auto* out = reinterpret_cast<std::uint8_t*>(message.data() + 4);
    const unsigned rows = bytes_ ? 1 : 4;
    std::uint8_t codes[4 * kCodeBlock];
    // Quarter by quarter within a block of bytes; or one "quarter" of all.
    for (std::uint64_t at = 0; at < body; at += kCodeBlock) {
      const std::size_t block = std::min<std::uint64_t>(kCodeBlock, body - at);
      for (unsigned quarter = 0; quarter < rows; ++quarter) {
        const std::uint64_t begin = std::min<std::uint64_t>(quarter * body + at, values.size());
        const std::size_t size = std::min<std::uint64_t>(block, values.size() - begin);
        std::uint8_t* row = codes + quarter * kCodeBlock;
        ternary(values.subspan(begin, size), limit, scale, begin, call.own, row);
        std::fill(row + size, row + block, std::uint8_t{0});
      }
      if (bytes_)
        for (std::size_t i = 0; i < block; ++i) out[at + i] = static_cast<std::uint8_t>(sign_of(codes[i]));
      else
        kernels().pack_rows(codes, kCodeBlock, block, out + at);
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t body = body_bytes(call.numel);
    expect_message_size(kKind, message, 4 + body);
    checked_scale(kKind, value_at<float>(message, 0));
    for (std::uint64_t i = call.numel; !bytes_ && i < 4 * body; ++i)
      if (std::to_integer<unsigned>(message[4 + i % body]) >> (2 * (i / body)) & 3)
        refuse_message(kKind, "is not filled with zeros");
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    const std::uint64_t body = body_bytes(call.numel);
    const auto scale = value_at<float>(message, 0);
    const auto* in = reinterpret_cast<const std::uint8_t*>(message.data() + 4);
    bool right = true;
    if (bytes_)
      for (std::size_t i = 0; i < into.size(); ++i) {
        const auto sign = static_cast<std::int8_t>(in[begin + i]);
        right &= sign >= -1 && sign <= 1;
        into[i] = static_cast<float>(sign) * scale;
      }
    else
      for_each_run(begin, into.size(), body, [&](std::uint64_t quarter, std::size_t first, std::size_t end) {
        right &= kernels().ternary_values(in + (begin + first) % body, end - first,
                                          static_cast<unsigned>(quarter), scale, into.data() + first);
      });
    if (!right) refuse_message(kKind, "has a code that is none of −1, 0 and 1");
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
  float scale_of(std::span<const float> values) const override { return range_of(values, clip_).scale; }
  void levels(std::span<const float> values, float scale, const Draws& draws,
              std::span<float> out) const override {
    const float limit = range_of(values, clip_).limit;
    std::uint8_t codes[kCodeBlock];
    for (std::uint64_t at = 0; at < values.size(); at += kCodeBlock) {
      std::size_t size = std::min<std::uint64_t>(kCodeBlock, values.size() - at);
      ternary(values.subspan(at, size), limit, scale, at, draws, codes);
      for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<float>(sign_of(codes[i]));
    }
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
