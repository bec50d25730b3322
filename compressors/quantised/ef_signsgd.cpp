// EF-signSGD: signs at the mean magnitude, with error feedback; and sign + norm, the same of a whole bucket.
#include <algorithm>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/signs.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

float mean_magnitude(std::span<const float> values) {
  if (values.empty()) return 0;
  return static_cast<float>(kernels().sum_of_magnitudes(values.data(), values.size()) /
                            static_cast<double>(values.size()));
}

// The signs of the whole unit, then for each tensor its mean magnitude or its L1 norm in four bytes.
class ScaledSigns final : public DenseCodec {
 public:
  ScaledSigns(const char* kind, SignLayout layout, bool norms)
      : DenseCodec(layout == SignLayout::bytes ? 8 : 1), kind_(kind), layout_(layout), norms_(norms) {}

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    append_signs(message, values, layout_);
    std::size_t begin = 0;
    for (const TensorInfo& tensor : call.unit.tensors) {
      auto part = values.subspan(begin, tensor.numel());
      append(message, norms_ ? static_cast<float>(kernels().sum_of_magnitudes(part.data(), part.size()))
                             : mean_magnitude(part));
      begin += part.size();
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const Bytes signs = sign_bytes(layout_, call.numel);
    expect_message_size(kind_, message, signs + 4 * call.unit.tensors.size());
    check_signs(kind_, message.first(signs), call.numel, layout_);
    for (std::uint64_t at = signs; at < message.size(); at += 4)
      checked_scale(kind_, value_at<float>(message, at));
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    read_signs(kind_, message, call.numel, layout_, begin, into);
    std::uint64_t first = 0, at = sign_bytes(layout_, call.numel);
    for (const TensorInfo& tensor : call.unit.tensors) {
      const std::uint64_t size = tensor.numel(), from = std::max(first, begin),
                          end = std::min(first + size, begin + into.size());
      auto scale = value_at<float>(message, at);
      if (norms_ && size > 0) scale /= static_cast<float>(size);
      for (std::uint64_t i = from; i < end; ++i) into[i - begin] *= scale;
      first += size;
      at += 4;
    }
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    return message.size() - 4 * call.unit.tensors.size();
  }

 private:
  const char* kind_;
  SignLayout layout_;
  bool norms_;
};

constexpr Parameter kCoding{
    "coding", Unit::word, "packed|bytes", "packed",
    "a bit an element in 32-bit words (zero counts as positive), or a byte each, in which "
    "zero stays zero (torch.sign)"};
constexpr Parameter kParameters[] = {
    {"transport", Unit::word, "all_gather|push_pull|all_to_all", "all_gather",
     "every message to everybody; or averaged and compressed again, with a memory there too, by servers (as "
     "BytePS's onebit does) or by learners that own a stripe each"},
    kCoding,
};
constexpr Parameter kNormParameters[] = {kCoding};

SignLayout layout_of(const Parameters& parameters) {
  return parameters.word("coding") == "packed" ? SignLayout::words : SignLayout::bytes;
}

// Karimireddy et al. 2019, Algorithm 1; the scale does not change with the learning rate, so that the memory
// may be in gradient or in update units.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec = std::make_unique<ScaledSigns>("EF-signSGD", layout_of(parameters), false);
  ErrorRule rule{ErrorRule::Error::local, 1};
  const std::string& transport = parameters.word("transport");
  if (transport == "all_gather") return make_gathered(std::move(codec), Coupling::tensor, rule, seed);
  Recompression how;
  how.way = transport == "push_pull" ? Recompression::Way::servers : Recompression::Way::stripes;
  how.server_memory = true;
  how.granule = 32;
  return make_recompressed(std::move(codec), how, rule, seed);
}

std::unique_ptr<Compressor> make_sign_norm(const Parameters& parameters, std::uint64_t seed) {
  return make_gathered(std::make_unique<ScaledSigns>("sign + norm", layout_of(parameters), true),
                       Coupling::bucket, {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kEfSignSgdMethod{
    "ef_signsgd", "signs at the mean magnitude of the tensor, with local error feedback",
    "Karimireddy et al. 2019 (EF-signSGD, arXiv 1901.09847), Algorithm 1", kParameters, make};

const Entry<MakeCompressor> kSignNormMethod{
    "sign_norm",
    "signs of a whole bucket and the L1 norm of each tensor, with local error feedback; gathered",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Appendix G, Sign + Norm", kNormParameters,
    make_sign_norm};

}  // namespace traincast
