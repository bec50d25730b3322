// CGX: every bucket between its least and its largest value in a few bits; chunks go to their owners, which
// add up, compress again and gather.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"
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
    const std::uint64_t buckets = (values.size() + bucket_ - 1) / bucket_;
    Message message(8 * buckets);
    CodeWriter codes(message, bits(), values.size());
    const auto most = static_cast<float>((1u << bits()) - 1);
    std::uint32_t drawn[kCodeBlock];
    for (std::uint64_t b = 0; b < buckets; ++b) {
      const std::uint64_t begin = b * bucket_;
      auto part = values.subspan(begin, std::min<std::uint64_t>(bucket_, values.size() - begin));
      float least = 0, largest = 0;
      kernels().range(part.data(), part.size(), &least, &largest);
      const float range[] = {least, largest / most - least / most};
      std::memcpy(message.data() + 8 * b, range, sizeof range);
      for (std::uint64_t at = 0; at < part.size(); at += kCodeBlock) {
        auto block = part.subspan(at, std::min<std::uint64_t>(kCodeBlock, part.size() - at));
        if (stochastic_) call.own.fill(begin + at, {drawn, block.size()});
        kernels().grid(block.data(), stochastic_ ? drawn : nullptr, block.size(), least, range[1], most,
                       codes.next());
        codes.take(block.size());
      }
    }
    codes.finish();
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t buckets = (call.numel + bucket_ - 1) / bucket_;
    expect_message_size(kKind, message, 8 * buckets + bytes_of_bits(call.numel * bits()));
    for (std::uint64_t b = 0; b < buckets; ++b) {
      checked_scale(kKind, value_at<float>(message, 8 * b + 4));
      if (!std::isfinite(value_at<float>(message, 8 * b)))
        refuse_message(kKind, "has no least value where one is due");
    }
    check_codes(kKind, message.subspan(8 * buckets), call.numel, bits());
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    std::uint8_t codes[kPiece];
    read_codes(message.subspan(8 * ((call.numel + bucket_ - 1) / bucket_)), begin, bits(),
               {codes, into.size()});
    for_each_run(begin, into.size(), bucket_, [&](std::uint64_t b, std::size_t first, std::size_t end) {
      const auto least = value_at<float>(message, 8 * b), step = value_at<float>(message, 8 * b + 4);
      for (std::size_t i = first; i < end; ++i) into[i] = least + static_cast<float>(codes[i]) * step;
    });
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
  Codec* codec() override { return compressing_->codec(); }

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
