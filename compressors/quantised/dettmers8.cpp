// Dettmers's 8-bit dynamic tree numbers: an exponent of base ten in unary, the rest of the byte a fraction.
#include "compressors/quantised/dettmers8.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

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

/// `nearest`, looked up.
class Rounding {
 public:
  Rounding() {
    for (std::uint32_t upper = 0; upper < first_.size(); ++upper) {
      // The least float with this upper half; of none that is a number, whatever.
      const auto least = std::bit_cast<float>(upper << 16 | (upper & 0x8000 ? 0xffffu : 0u));
      first_[upper] = std::isnan(least) ? 255 : nearest(least);
    }
    // `nearest` rises with its argument: of each number the least float that goes beyond, by bisection.
    for (unsigned code = 0; code < 255; ++code) {
      float low = dynamic_tree()[code], high = dynamic_tree()[code + 1];
      while (true) {
        const float middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) break;
        (nearest(middle) > code ? high : low) = middle;
      }
      beyond_[code] = high;
    }
    beyond_[255] = HUGE_VALF;
  }
  std::uint8_t operator()(float value) const {
    std::uint8_t code = first_[std::bit_cast<std::uint32_t>(value) >> 16];
    while (value >= beyond_[code]) ++code;
    return code;
  }

 private:
  std::vector<std::uint8_t> first_ = std::vector<std::uint8_t>(1 << 16);  ///< by the upper half of a float
  std::array<float, 256> beyond_{};
};

// The largest magnitude of each block in four bytes, then a byte an element: the rank of its number.
class DynamicTree final : public DenseCodec {
 public:
  explicit DynamicTree(std::uint64_t block) : DenseCodec(8), block_(block) {}

  Message encode(std::span<const float> values, const Call&) override {
    static const Rounding rounded;
    const std::uint64_t blocks = (values.size() + block_of(values.size()) - 1) / block_of(values.size());
    Message message(4 * blocks + values.size());
    std::byte* scale = message.data();
    std::byte* code = scale + 4 * blocks;
    for (std::uint64_t begin = 0; begin < values.size(); begin += block_of(values.size())) {
      auto part =
          values.subspan(begin, std::min<std::uint64_t>(block_of(values.size()), values.size() - begin));
      float largest = kernels().largest_magnitude(part.data(), part.size());
      std::memcpy(scale, &largest, sizeof largest);
      scale += sizeof largest;
      for (float value : part) *code++ = std::byte(rounded(largest > 0 ? value / largest : 0));
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t size = block_of(call.numel), blocks = (call.numel + size - 1) / size;
    expect_message_size(kKind, message, 4 * blocks + call.numel);
    for (std::uint64_t b = 0; b < blocks; ++b) checked_scale(kKind, value_at<float>(message, 4 * b));
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    const std::uint64_t size = block_of(call.numel), blocks = (call.numel + size - 1) / size;
    auto numbers = dynamic_tree();
    auto codes = message.subspan(4 * blocks + begin);
    for_each_run(begin, into.size(), size, [&](std::uint64_t b, std::size_t first, std::size_t end) {
      const auto scale = value_at<float>(message, 4 * b);
      for (std::size_t i = first; i < end; ++i)
        into[i] = numbers[std::to_integer<unsigned>(codes[i])] * scale;
    });
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
