// FO-SGD: a random rotation flattens the vector, then a dithered bit an element.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/portable_math.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/rotation.hpp"
#include "compressors/quantised/signs.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "FO-SGD";

// λ in four bytes, then the signs of u + τ, τ uniform in [−λ, λ). E[λ·sign(u + τ)] is u where |u| ≤ λ.
class Flattened final : public Codec {
 public:
  /// λ is the largest magnitude of the rotated vector where `factor` is 0, else factor · ‖g‖ · √(ln D / D).
  Flattened(double factor, std::uint64_t block) : factor_(factor), block_(block) {}
  bool dense() const override { return true; }
  bool size_follows_from_shape() const override { return true; }
  bool unbiased() const override { return factor_ == 0; }

  Message encode(std::span<const float> values, const Call& call) override {
    std::vector<float> u = rotated(values, block_, call.shared);
    float lambda = kernels().largest_magnitude(u.data(), u.size());
    if (factor_ > 0) {
      auto size = static_cast<double>(std::max<std::size_t>(u.size(), 2));
      double norm = std::sqrt(kernels().sum_of_squares(u.data(), u.size()));
      lambda = static_cast<float>(factor_ * norm * std::sqrt(portable_log(size) / size));
    }
    constexpr std::size_t kBlock = 1024;
    std::uint32_t drawn[kBlock];
    for (std::size_t begin = 0; begin < u.size(); begin += kBlock) {
      const std::size_t size = std::min(kBlock, u.size() - begin);
      call.own.fill(begin, {drawn, size});
      kernels().dither(u.data() + begin, drawn, size, lambda);
    }
    Message message;
    append(message, lambda);
    append_signs(message, u, SignLayout::words);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t size = rotated_size(call.numel, block_);
    expect_message_size(kKind, message, 4 + sign_bytes(SignLayout::words, size));
    const float lambda = checked_scale(kKind, read_values<float>(message, 0, 1)[0]);
    check_signs(kKind, message.subspan(4), size, SignLayout::words);
    std::vector<float> u(size);
    read_signs(kKind, message.subspan(4), size, SignLayout::words, 0, u);
    for (float& value : u) value *= lambda;
    return {true, {}, rotated_back(std::move(u), call.numel, block_, call.shared)};
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size() - 4; }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    std::uint64_t size = rotated_size(numel, block_);
    return {{Primitive::hadamard, {size, 0, 0}}, {Primitive::bit_pack, {size, 1, 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    std::uint64_t size = rotated_size(numel, block_);
    return {{Primitive::bit_pack, {size, 1, 0}, learners}, {Primitive::hadamard, {size, 0, 0}, learners}};
  }

 private:
  double factor_;
  std::uint64_t block_;
};

constexpr Parameter kParameters[] = {
    {"lambda", Unit::ratio, "[0, 1000]", "0",
     "c of λ = c · ‖g‖ · √(ln D / D); 0: λ is the largest magnitude after the rotation, which makes it "
     "unbiased"},
    {"block", Unit::count, "[0, 1073741824]", "0",
     "elements that are rotated together, a power of two; 0: the tensor, filled up to one"},
    {"transport", Unit::word, "push_pull|all_gather", "push_pull",
     "averaged and compressed again by servers, or every message to everybody"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec = std::make_unique<Flattened>(parameters.number("lambda"), rotation_block(parameters));
  if (parameters.word("transport") == "all_gather")
    return make_gathered(std::move(codec), Coupling::tensor, {}, seed);
  return make_recompressed(std::move(codec), {}, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kFoSgdMethod{"fosgd",
                                         "rotated at random, then a dithered bit an element, on both ways; λ "
                                         "is ours, the paper's rule is not known",
                                         "Flattened one-bit SGD (arXiv 2405.11095)", kParameters, make};

}  // namespace traincast
