// signSGD: one bit an element, averaged or put to the vote; Signum: the same of a local momentum.
#include <algorithm>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/momentum.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/signs.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "sign";

class SignCodec final : public DenseCodec {
 public:
  explicit SignCodec(SignLayout layout) : DenseCodec(unpacked(layout) ? 8 : 1, 0), layout_(layout) {}
  bool scales() const override { return false; }

  Message encode(std::span<const float> values, const Call&) override {
    Message message;
    append_signs(message, values, layout_);
    return message;
  }
  void check(std::span<const std::byte> message, const Call& call) const override {
    check_signs(kKind, message, call.numel, layout_);
  }
  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    read_signs(kKind, message, call.numel, layout_, begin, into);
  }
  Bytes value_bytes(const Message& message, const Call&) const override { return message.size(); }

 private:
  SignLayout layout_;
};

constexpr Parameter kSignParameters[] = {
    {"aggregate", Unit::word, "mean|majority", "majority",
     "what learners apply: the mean of all signs, or the sign that most have (ties: +1)"},
    {"transport", Unit::word, "auto|push_pull|all_to_all|all_gather", "auto",
     "majority: voted at servers (auto), or by learners that own a stripe each; all_gather: everybody "
     "counts, "
     "which is the only way to the mean"},
    {"coding", Unit::word, "packed|bytes", "packed",
     "a bit an element in 32-bit words, or a byte as GRACE sends"},
};
constexpr Parameter kSignumParameters[] = {
    kSignParameters[0],
    kSignParameters[1],
    kSignParameters[2],
    {"momentum", Unit::ratio, "[0, 1)", "0.9", "m ← momentum · m + (1 − momentum) · g, whose sign is sent"},
};

/// Everybody has all signs and takes the vote itself: the sign of the mean.
class Vote final : public Compressor {
 public:
  explicit Vote(std::unique_ptr<Compressor> mean) : mean_(std::move(mean)) {}
  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {}; }
  bool averages_contributions() const override { return false; }
  bool scales() const override { return false; }
  Codec* codec() override { return mean_->codec(); }
  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    mean_->aggregate(step, unit, source, group, contributions, average);
    for (float& value : average) value = value < 0 ? -1.0f : 1.0f;
  }
  void save(Writer& writer) const override { mean_->save(writer); }
  void load(Reader& reader) override { mean_->load(reader); }

 private:
  std::unique_ptr<Compressor> mean_;
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto layout = parameters.word("coding") == "packed" ? SignLayout::rows : SignLayout::mask;
  auto codec = std::make_unique<SignCodec>(layout);
  const std::string& transport = parameters.word("transport");
  bool mean = parameters.word("aggregate") == "mean";
  if (mean && transport != "auto" && transport != "all_gather")
    throw InputError(
        "'transport' is \"" + transport +
        "\", where signs are put to the vote, but 'aggregate' is \"mean\"; allowed with it: auto, "
        "all_gather");
  if (mean || transport == "all_gather") {
    auto gathered = make_gathered(std::move(codec), Coupling::tensor, {}, seed);
    if (mean) return gathered;
    return std::make_unique<Vote>(std::move(gathered));
  }
  // The mean of signs, encoded anew, is the vote.
  Recompression how;
  how.way = transport == "all_to_all" ? Recompression::Way::stripes : Recompression::Way::servers;
  how.granule = 32;
  return make_recompressed(std::move(codec), how, {}, seed);
}

std::unique_ptr<Compressor> make_signum(const Parameters& parameters, std::uint64_t seed) {
  MomentumRule rule{MomentumRule::Kind::averaged, static_cast<float>(parameters.number("momentum"))};
  return make_with_momentum(make(parameters, seed), rule);
}

}  // namespace

const Entry<MakeCompressor> kSignSgdMethod{
    "signsgd", "one bit an element; the majority's sign, or the mean of signs",
    "Bernstein et al. 2018, 2019 (signSGD, arXiv 1802.04434; majority vote, arXiv 1810.05291)",
    kSignParameters, make};

const Entry<MakeCompressor> kSignumMethod{
    "signum", "signs of a local momentum; the majority's, or their mean",
    "Bernstein et al. 2018 (signSGD, arXiv 1802.04434), Signum", kSignumParameters, make_signum};

}  // namespace traincast
