// EDEN, and with one bit DRIVE: a random rotation makes entries nearly normal, for which the best quantiser
// is known; one scale makes the whole unbiased.
#include "compressors/quantised/eden.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/rotation.hpp"

namespace traincast {

namespace {

constexpr double kPi = 3.14159265358979323846;

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * kPi); }
double tail(double x) { return std::erfc(x / std::sqrt(2.0)) / 2; }

/// Lloyd's iteration on the positive half: borders in the middle between centroids, centroids at the mean
/// between borders. Rounded to six digits, so that libm's last bits do not show.
std::vector<float> lloyd_max(unsigned bits) {
  const std::size_t count = std::size_t{1} << (bits - 1);
  std::vector<double> centroids(count);
  for (std::size_t j = 0; j < count; ++j)
    centroids[j] = 3.0 * (static_cast<double>(j) + 0.5) / static_cast<double>(count);
  for (int iteration = 0; iteration < 5000; ++iteration)
    for (std::size_t j = 0; j < count; ++j) {
      double low = j == 0 ? 0 : (centroids[j - 1] + centroids[j]) / 2;
      bool last = j + 1 == count;
      double high = last ? 0 : (centroids[j] + centroids[j + 1]) / 2;
      centroids[j] = (density(low) - (last ? 0 : density(high))) / (tail(low) - (last ? 0 : tail(high)));
    }
  std::vector<float> rounded;
  for (double centroid : centroids)
    rounded.push_back(static_cast<float>(std::nearbyint(centroid * 1e6) * 1e-6));
  return rounded;
}

}  // namespace

std::span<const float> normal_centroids(unsigned bits) {
  static const std::vector<float> tables[] = {lloyd_max(1), lloyd_max(2), lloyd_max(3), lloyd_max(4)};
  return tables[bits - 1];
}

namespace {

constexpr const char* kKind = "EDEN";

// The scale in four bytes, then of each rotated element the sign (lowest bit) and the number of its centroid.
class Eden final : public Codec {
 public:
  Eden(unsigned bits, std::uint64_t block) : bits_(bits), block_(block) {}
  bool dense() const override { return true; }
  bool size_follows_from_shape() const override { return true; }

  /// Vargaftik et al. 2022, Algorithm 1: scale S = ‖x‖² / ⟨R x, Q(R x)⟩.
  Message encode(std::span<const float> values, const Call& call) override {
    const std::vector<float> u = rotated(values, block_, call.shared);
    const double square = kernels().sum_of_squares(u.data(), u.size());
    const double unit = square > 0 ? std::sqrt(static_cast<double>(u.size()) / square) : 0;
    auto centroids = normal_centroids(bits_);
    std::vector<float> borders;
    for (std::size_t j = 1; j < centroids.size(); ++j)
      borders.push_back((centroids[j - 1] + centroids[j]) / 2);
    Message message(sizeof(float));
    CodeWriter codes(message, bits_, u.size());
    double product = 0;
    for (std::size_t begin = 0; begin < u.size(); begin += kCodeBlock) {
      const std::size_t size = std::min(kCodeBlock, u.size() - begin);
      product += encode_block({u.data() + begin, size}, unit, borders, codes.next());
      codes.take(size);
    }
    codes.finish();
    const auto scale = static_cast<float>(product > 0 ? square / product : 0);
    std::memcpy(message.data(), &scale, sizeof scale);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t size = rotated_size(call.numel, block_);
    expect_message_size(kKind, message, 4 + bytes_of_bits(size * bits_));
    const float scale = checked_scale(kKind, read_values<float>(message, 0, 1)[0]);
    auto centroids = normal_centroids(bits_);
    check_codes(kKind, message.subspan(4), size, bits_);
    float worth[32];  // by code
    for (std::size_t c = 0; c < centroids.size(); ++c) {
      worth[2 * c] = scale * centroids[c];
      worth[2 * c + 1] = -worth[2 * c];
    }
    std::vector<float> u(size);
    std::uint8_t codes[kCodeBlock];
    for (std::size_t begin = 0; begin < size; begin += kCodeBlock) {
      const std::size_t count = std::min<std::uint64_t>(kCodeBlock, size - begin);
      read_codes(message.subspan(4), begin, bits_, {codes, count});
      for (std::size_t i = 0; i < count; ++i) u[begin + i] = worth[codes[i]];
    }
    return {true, {}, rotated_back(std::move(u), call.numel, block_, call.shared)};
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size() - 4; }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    std::uint64_t size = rotated_size(numel, block_);
    return {{Primitive::hadamard, {size, 0, 0}},
            {Primitive::reduction, {size, 0, 0}},
            {Primitive::bit_pack, {size, bits_, 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    std::uint64_t size = rotated_size(numel, block_);
    return {{Primitive::bit_pack, {size, bits_, 0}, learners}, {Primitive::hadamard, {size, 0, 0}, learners}};
  }

 private:
  /// Codes of a block; what they add to ⟨R x, Q(R x)⟩ in units of the normal numbers.
  double encode_block(std::span<const float> u, double unit, std::span<const float> borders,
                      std::uint8_t* codes) const {
    auto centroids = normal_centroids(bits_);
    if (borders.empty()) {
      for (std::size_t i = 0; i < u.size(); ++i) codes[i] = u[i] < 0 ? 1 : 0;
      return kernels().sum_of_magnitudes(u.data(), u.size()) * static_cast<double>(centroids[0]);
    }
    double product = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double magnitude = std::fabs(static_cast<double>(u[i]));
      const auto normal = static_cast<float>(magnitude * unit);
      std::size_t centroid = 0;
      for (float border : borders) centroid += normal >= border ? 1 : 0;
      codes[i] = static_cast<std::uint8_t>(centroid << 1 | (u[i] < 0 ? 1 : 0));
      product += magnitude * static_cast<double>(centroids[centroid]);
    }
    return product;
  }

  unsigned bits_;
  std::uint64_t block_;
};

constexpr Parameter kParameters[] = {
    {"bits", Unit::count, "[1, 4]", "1", "bits an element; 1 is DRIVE"},
    {"block", Unit::count, "[0, 1073741824]", "0",
     "elements that are rotated together, a power of two; 0: the tensor, filled up to one"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec =
      std::make_unique<Eden>(static_cast<unsigned>(parameters.count("bits")), rotation_block(parameters));
  return make_gathered(std::move(codec), Coupling::tensor, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kEdenMethod{
    "eden", "rotated at random, then the best quantiser of normal numbers; one bit is DRIVE; gathered",
    "Vargaftik et al. 2021, 2022 (DRIVE, arXiv 2105.08339; EDEN, arXiv 2108.08842)", kParameters, make};

}  // namespace traincast
