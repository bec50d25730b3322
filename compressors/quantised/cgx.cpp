// CGX: every bucket between its least and its largest value in a few bits; chunks go to their owners, which
// add up, compress again and gather.
#include <algorithm>
#include <cmath>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/stochastic.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "CGX";

// The least value and the step of all buckets in four bytes each, then the codes, lowest bit first.
class MaxMin final : public DenseCodec {
 public:
  MaxMin(unsigned bits, std::uint64_t bucket, bool stochastic)
      : DenseCodec(bits), bucket_(bucket), stochastic_(stochastic) {}
  bool unbiased() const override { return stochastic_; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message, codes;
    LowBitWriter packed(codes);
    const auto most = static_cast<float>((1u << bits()) - 1);
    for (std::uint64_t begin = 0; begin < values.size(); begin += bucket_) {
      auto part = values.subspan(begin, std::min<std::uint64_t>(bucket_, values.size() - begin));
      float least = 0, largest = 0;
      kernels().range(part.data(), part.size(), &least, &largest);
      const float step = largest / most - least / most;
      append(message, least);
      append(message, step);
      for_each_draw(ShiftedDraws(call.own, begin), part.size(), [&](std::uint64_t i, std::uint32_t draw) {
        float level = step > 0 ? std::clamp((part[i] - least) / step, 0.0f, most) : 0;
        packed.put(stochastic_ ? std::min(round_up_or_down(level, draw), (1u << bits()) - 1)
                               : static_cast<std::uint32_t>(level + 0.5f),
                   bits());
      });
    }
    packed.finish();
    append(message, codes);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t buckets = (call.numel + bucket_ - 1) / bucket_;
    expect_message_size(kKind, message, 8 * buckets + bytes_of_bits(call.numel * bits()));
    auto ranges = read_values<float>(message, 0, 2 * buckets);
    for (std::size_t b = 0; b < buckets; ++b) {
      checked_scale(kKind, ranges[2 * b + 1]);
      if (!std::isfinite(ranges[2 * b])) refuse_message(kKind, "has no least value where one is due");
    }
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    LowBitReader packed(message.subspan(8 * buckets));
    for (std::uint64_t i = 0; i < call.numel; ++i)
      sent.values[i] =
          ranges[2 * (i / bucket_)] + static_cast<float>(packed.get(bits())) * ranges[2 * (i / bucket_) + 1];
    if (!packed.filled_with_zeros()) refuse_message(kKind, "is not filled with zeros");
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    return message.size() - 8 * ((call.numel + bucket_ - 1) / bucket_);
  }

 private:
  std::uint64_t bucket_;
  bool stochastic_;
};

/// Tensors below a size go dense, in a phase of their own.
class Cgx final : public Compressor {
 public:
  Cgx(std::unique_ptr<Compressor> compressing, std::uint64_t least)
      : compressing_(std::move(compressing)), least_(least) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_depend_on_values() const override { return compressing_->sizes_depend_on_values(); }
  ErrorRule error_rule() const override { return {}; }
  bool averages_contributions() const override { return false; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (unit.numel() >= least_)
      return compressing_->aggregate(step, unit, source, group, contributions, average);
    group.phase(3);
    group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      contributions.kept_all(learner);
    });
    take_mean(average, group.size());
  }

  void save(Writer& writer) const override { compressing_->save(writer); }
  void load(Reader& reader) override { compressing_->load(reader); }

 private:
  std::unique_ptr<Compressor> compressing_;
  std::uint64_t least_;
};

constexpr Parameter kParameters[] = {
    {"bits", Unit::count, "[1, 8]", "4", "of an element's code"},
    {"bucket", Unit::count, "[1, 1000000]", "512", "elements with a least value and a step of their own"},
    {"rounding", Unit::word, "nearest|stochastic", "nearest", "how a value becomes a code"},
    {"least", Unit::count, "[0, 1000000000]", "1024", "elements below which a tensor goes dense"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto bucket = static_cast<std::uint64_t>(parameters.count("bucket"));
  auto codec = std::make_unique<MaxMin>(static_cast<unsigned>(parameters.count("bits")), bucket,
                                        parameters.word("rounding") == "stochastic");
  Recompression how;
  how.way = Recompression::Way::stripes;
  how.granule = bucket;
  return std::make_unique<Cgx>(make_recompressed(std::move(codec), how, {}, seed),
                               static_cast<std::uint64_t>(parameters.count("least")));
}

}  // namespace

const Entry<MakeCompressor> kCgxMethod{
    "cgx", "buckets between their least and largest value in a few bits, compressed again by chunk owners",
    "Markov et al. 2022 (CGX, arXiv 2111.08617), scatter-reduce and all-gather", kParameters, make};

}  // namespace traincast
