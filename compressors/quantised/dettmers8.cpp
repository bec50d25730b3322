// Dettmers's 8-bit dynamic tree numbers: an exponent of base ten in unary, the rest of the byte a fraction.
#include "compressors/quantised/dettmers8.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"

namespace traincast {

std::span<const float> dynamic_tree() {
  static const std::array<float, 256> numbers = [] {
    std::array<float, 256> all{};
    std::size_t next = 0;
    double power = 1e-6;
    for (unsigned bits = 0; bits < 7; ++bits, power *= 10) {
      const unsigned fractions = 1u << bits;
      for (unsigned j = 0; j < fractions; ++j) {
        // The middle of the j-th of so many equal parts of 0.1 … 1.
        double middle = 0.1 + 0.9 * (j + 0.5) / fractions;
        all[next++] = static_cast<float>(power * middle);
        all[next++] = static_cast<float>(-power * middle);
      }
    }
    all[next++] = 0;
    all[next++] = 1;
    std::sort(all.begin(), all.end());
    return all;
  }();
  return numbers;
}

namespace {

constexpr const char* kKind = "Dettmers 8-bit";

/// The nearest number; of two at the same distance the smaller.
std::uint8_t nearest(float value) {
  auto numbers = dynamic_tree();
  auto above = std::lower_bound(numbers.begin(), numbers.end(), value);
  if (above == numbers.end()) return 255;
  if (above == numbers.begin()) return 0;
  return static_cast<std::uint8_t>(above - numbers.begin() - (value - above[-1] <= *above - value ? 1 : 0));
}

// The largest magnitude of each block in four bytes, then a byte an element: the rank of its number.
class DynamicTree final : public DenseCodec {
 public:
  explicit DynamicTree(std::uint64_t block) : DenseCodec(8), block_(block) {}

  Message encode(std::span<const float> values, const Call&) override {
    Message message, codes;
    codes.reserve(values.size());
    for (std::uint64_t begin = 0; begin < values.size(); begin += block_of(values.size())) {
      auto part =
          values.subspan(begin, std::min<std::uint64_t>(block_of(values.size()), values.size() - begin));
      float largest = kernels().largest_magnitude(part.data(), part.size());
      append(message, largest);
      for (float value : part) codes.push_back(std::byte(nearest(largest > 0 ? value / largest : 0)));
    }
    append(message, codes);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t size = block_of(call.numel), blocks = (call.numel + size - 1) / size;
    expect_message_size(kKind, message, 4 * blocks + call.numel);
    auto scales = read_values<float>(message, 0, blocks);
    for (float scale : scales) checked_scale(kKind, scale);
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    for (std::uint64_t i = 0; i < call.numel; ++i)
      sent.values[i] = dynamic_tree()[std::to_integer<unsigned>(message[4 * blocks + i])] * scales[i / size];
    return sent;
  }

  Bytes value_bytes(const Message&, const Call& call) const override { return call.numel; }

 private:
  std::uint64_t block_of(std::uint64_t numel) const {
    return block_ == 0 ? std::max<std::uint64_t>(numel, 1) : block_;
  }
  std::uint64_t block_;
};

constexpr Parameter kParameters[] = {
    {"block", Unit::count, "[0, 1000000000]", "0", "elements with a scale of their own; 0: the whole tensor"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return make_gathered(std::make_unique<DynamicTree>(static_cast<std::uint64_t>(parameters.count("block"))),
                       Coupling::tensor, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kDettmers8Method{
    "dettmers8", "8-bit dynamic tree numbers times the largest magnitude, rounded to nearest; gathered",
    "Dettmers 2016 (8-bit approximations, arXiv 1511.04561), dynamic tree data type", kParameters, make};

}  // namespace traincast
