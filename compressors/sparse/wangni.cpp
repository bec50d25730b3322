// Unbiased sparsification with least variance: an entry goes with a probability in proportion to its
// magnitude, divided by it.
#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/wangni.hpp"

namespace traincast {

// Wangni et al. 2018, Algorithm 3 (greedy).
KeepProbabilities keep_probabilities(std::span<const float> values, double density, unsigned iterations) {
  KeepProbabilities keep;
  const auto numel = static_cast<double>(values.size());
  double sum = 0;
  for (float value : values) sum += std::fabs(static_cast<double>(value));
  if (sum == 0) return keep;
  keep.scale = density * numel / sum;
  for (unsigned i = 0; i < iterations; ++i) {
    double certain = 0, rest = 0;
    for (float value : values) {
      double p = keep.scale * std::fabs(static_cast<double>(value));
      if (p >= 1)
        ++certain;
      else
        rest += p;
    }
    double missing = density * numel - certain;
    if (rest == 0 || missing <= rest) break;
    keep.scale *= missing / rest;
  }
  return keep;
}

namespace {

constexpr const char* kKind = "Wangni";

// A message: how many entries are certain and how many drawn, and the magnitude of all drawn ones (they are
// equal: |g| / p), 4 bytes each; the certain ones' values; then, lowest bit first, the indices of the certain
// ones in ⌈log2 numel⌉ bits, and the drawn ones' indices and signs, or two bits for each element where that
// is shorter (Wangni et al. 2018, section 3.3).
class WangniCodec final : public Codec {
 public:
  WangniCodec(double density, unsigned iterations) : density_(density), iterations_(iterations) {}

  bool unbiased() const override { return true; }

  Message encode(std::span<const float> values, const Call& call) override {
    const KeepProbabilities keep = keep_probabilities(values, density_, iterations_);
    std::vector<Index> certain, drawn;
    for_each_draw(call.own, values.size(), [&](std::uint64_t i, std::uint32_t draw) {
      double p = keep.of(values[i]);
      if (p >= 1)
        certain.push_back(static_cast<Index>(i));
      else if (draw < p * 0x1p32)
        drawn.push_back(static_cast<Index>(i));
    });
    Message message;
    if (certain.empty() && drawn.empty()) return message;
    append(message, static_cast<std::uint32_t>(certain.size()));
    append(message, static_cast<std::uint32_t>(drawn.size()));
    append(message, static_cast<float>(keep.scale > 0 ? 1 / keep.scale : 0));
    for (Index index : certain) append(message, values[index]);
    const unsigned width = bits_for(values.size());
    LowBitWriter bits(message);
    for (Index index : certain) bits.put(index, width);
    if (by_index(drawn.size(), values.size())) {
      for (Index index : drawn) {
        bits.put(index, width);
        bits.put(values[index] < 0, 1);
      }
    } else {
      auto next = drawn.begin();
      for (Index i = 0; i < values.size(); ++i) {
        bool here = next != drawn.end() && *next == i;
        bits.put(!here ? 0 : values[i] < 0 ? 3 : 1, 2);
        if (here) ++next;
      }
    }
    bits.finish();
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    Decoded sent;
    if (message.empty()) return sent;
    if (message.size() < kHeader) refuse_message(kKind, "ends within its header");
    auto counts = read_values<std::uint32_t>(message, 0, 2);
    float magnitude = read_values<float>(message, 8, 1)[0];
    const std::uint64_t numel = call.numel, certain = counts[0], drawn = counts[1];
    if (certain + drawn > numel || certain + drawn == 0)
      refuse_message(kKind,
                     "says " + std::to_string(certain + drawn) + " entries of " + std::to_string(numel));
    if (!(magnitude >= 0)) refuse_message(kKind, "has no magnitude where one is due");
    expect_message_size(kKind, message,
                        kHeader + 4 * certain + bytes_of_bits(field_bits(certain, drawn, numel)));

    const unsigned width = bits_for(numel);
    LowBitReader bits(message.subspan(kHeader + 4 * certain));
    auto values = read_values<float>(message, kHeader, certain);
    std::vector<std::pair<Index, float>> entries;
    for (float value : values) entries.emplace_back(bits.get(width), value);
    if (by_index(drawn, numel)) {
      for (std::uint64_t j = 0; j < drawn; ++j) {
        Index index = bits.get(width);
        entries.emplace_back(index, bits.get(1) ? -magnitude : magnitude);
      }
    } else {
      for (Index i = 0; i < numel; ++i) {
        std::uint32_t code = bits.get(2);
        if (code & 1) entries.emplace_back(i, code & 2 ? -magnitude : magnitude);
      }
      if (entries.size() != certain + drawn)
        refuse_message(kKind, "marks another number of entries than it says");
    }
    if (!bits.filled_with_zeros()) refuse_message(kKind, "is not filled with zeros");
    std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (std::size_t j = 0; j < entries.size(); ++j) {
      if (entries[j].first >= numel || (j > 0 && entries[j].first == entries[j - 1].first))
        refuse_message(kKind,
                       "has index " + std::to_string(entries[j].first) + " twice or beyond its vector");
      sent.indices.push_back(entries[j].first);
      sent.values.push_back(entries[j].second);
    }
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call&) const override {
    return message.empty() ? 0 : 4 + 4 * read_values<std::uint32_t>(message, 0, 1)[0];
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::reduction, {numel, 0, 0}, iterations_ + 1},
            {Primitive::threshold_scan, {numel, share_of(density_, numel), 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::scatter, {numel, share_of(density_, numel), 0}, learners}};
  }

 private:
  static constexpr std::uint64_t kHeader = 12;

  static bool by_index(std::uint64_t drawn, std::uint64_t numel) {
    return drawn * (bits_for(numel) + 1) <= 2 * numel;
  }
  static std::uint64_t field_bits(std::uint64_t certain, std::uint64_t drawn, std::uint64_t numel) {
    std::uint64_t width = bits_for(numel);
    return certain * width + (by_index(drawn, numel) ? drawn * (width + 1) : 2 * numel);
  }

  double density_;
  unsigned iterations_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired,
     "expected share of a tensor's entries that each learner sends"},
    {"iterations", Unit::count, "[0, 100]", "2",
     "rounds in which what is left of probabilities cut at 1 goes to others"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec = std::make_unique<WangniCodec>(parameters.number("density"),
                                             static_cast<unsigned>(parameters.count("iterations")));
  return make_gathered(std::move(codec), Coupling::tensor, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kWangniMethod{
    "wangni", "sends entries with a probability in proportion to their magnitude, unbiased; gathered",
    "Wangni et al. 2018 (Gradient sparsification, arXiv 1710.09854), Algorithm 3", kParameters, make};

}  // namespace traincast
