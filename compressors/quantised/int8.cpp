// Affine 8-bit integers, with a scale and a zero point per tensor or per run of elements.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "int8";

// Scale and zero point of all channels in four bytes each, then a byte an element. The range of a channel
// takes in zero, so that zero stays zero.
class Affine final : public DenseCodec {
 public:
  /// `channel`: elements with a scale of their own, 0 for all. `padded`: whole channels only, and one more
  /// where they fit already, as PyTorch's hook has it.
  Affine(std::uint64_t channel, bool padded) : DenseCodec(8), channel_(channel), padded_(padded) {}

  Message encode(std::span<const float> values, const Call&) override {
    const std::uint64_t size = channel_of(values.size());
    Message message(8 * channels(values.size()) + coded(values.size()));
    std::byte* head = message.data();
    auto* codes = reinterpret_cast<std::uint8_t*>(message.data()) + 8 * channels(values.size());
    for (std::uint64_t c = 0; c < channels(values.size()); ++c) {
      std::uint64_t begin = std::min<std::uint64_t>(c * size, values.size());
      auto part = values.subspan(begin, std::min<std::uint64_t>(size, values.size() - begin));
      float least = 0, largest = 0;
      if (!part.empty()) kernels().range(part.data(), part.size(), &least, &largest);
      least = std::min(least, 0.0f);
      largest = std::max(largest, 0.0f);
      // Divided first: the range itself may be beyond the largest float.
      float scale = largest / 255 - least / 255;
      float zero = scale > 0 ? std::clamp(std::nearbyint(-least / scale), 0.0f, 255.0f) : 0;
      const float both[] = {scale, zero};
      std::memcpy(head, both, sizeof both);
      head += sizeof both;
      if (scale > 0) kernels().affine(part.data(), part.size(), scale, zero, codes);
      codes += part.size();
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t head = 8 * channels(call.numel);
    expect_message_size(kKind, message, head + coded(call.numel));
    for (std::uint64_t at = 0; at < head; at += 4) checked_scale(kKind, value_at<float>(message, at));
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    const auto* codes =
        reinterpret_cast<const std::uint8_t*>(message.data()) + 8 * channels(call.numel) + begin;
    for_each_run(begin, into.size(), channel_of(call.numel),
                 [&](std::uint64_t c, std::size_t first, std::size_t end) {
                   kernels().values(codes + first, end - first, value_at<float>(message, 8 * c + 4),
                                    value_at<float>(message, 8 * c), into.data() + first);
                 });
  }

  Bytes value_bytes(const Message&, const Call& call) const override { return call.numel; }

 private:
  std::uint64_t channel_of(std::uint64_t numel) const {
    return channel_ == 0 ? std::max<std::uint64_t>(numel, 1) : channel_;
  }
  std::uint64_t channels(std::uint64_t numel) const {
    if (padded_ && channel_ > 0) return numel / channel_ + 1;
    return (numel + channel_of(numel) - 1) / channel_of(numel);
  }
  std::uint64_t coded(std::uint64_t numel) const {
    return padded_ && channel_ > 0 ? channels(numel) * channel_ : numel;
  }

  std::uint64_t channel_;
  bool padded_;
};

constexpr std::uint64_t kChannel = 512;  // as in PyTorch's hook

constexpr Parameter kParameters[] = {
    {"per", Unit::word, "tensor|channel", "tensor", "what has a scale and a zero point of its own"},
    {"scope", Unit::word, "tensor|bucket", "tensor",
     "what is flattened before that: a tensor, or a bucket as PyTorch's hooks have it"},
    {"channel", Unit::count, "[1, 1000000000]", "512", "elements of a channel"},
    {"padding", Unit::word, "none|hook", "none",
     "hook: channels filled up, with a whole one more where none is broken, as PyTorch's per-channel hook "
     "sends"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  bool channels = parameters.word("per") == "channel", padded = parameters.word("padding") == "hook";
  if (padded && !channels)
    throw InputError("'padding' is \"hook\", which fills channels up, but 'per' is \"tensor\"");
  const auto channel = static_cast<std::uint64_t>(parameters.count("channel"));
  if (channel != kChannel && !channels)
    throw InputError("'channel' is " + std::to_string(channel) + ", but 'per' is \"tensor\"");
  const Coupling scope = parameters.word("scope") == "tensor" ? Coupling::tensor : Coupling::bucket;
  return make_gathered(std::make_unique<Affine>(channels ? channel : 0, padded), scope, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kInt8Method{
    "int8", "affine 8-bit integers per tensor or per channel, rounded to nearest; gathered",
    "PyTorch's quantization_pertensor_hook and quantization_perchannel_hook", kParameters, make};

}  // namespace traincast
