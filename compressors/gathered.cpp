#include "compressors/gathered.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

namespace traincast {

void report(Contributions& contributions, LearnerId learner, const Decoded& sent) {
  if (sent.dense)
    contributions.kept(learner, sent.values);
  else
    contributions.kept(learner, sent.indices, sent.values, Selection::own);
}

void take_mean(std::span<float> sum, std::uint32_t learners) {
  const auto divisor = static_cast<float>(learners);
  if (std::has_single_bit(learners)) {  // the same to the bit, and faster
    const float factor = 1 / divisor;
    for (float& value : sum) value *= factor;
    return;
  }
  for (float& value : sum) value /= divisor;
}

void decode_mean(const Codec& codec, std::span<const Sent> sent, std::span<float> mean) {
  const auto learners = static_cast<std::uint32_t>(sent.size());
  const PieceCodec* by_piece = codec.in_pieces();
  if (!by_piece) {
    std::fill(mean.begin(), mean.end(), 0.0f);
    for (const Sent& one : sent) codec.decode(one.message, one.call).add_to(mean);
    return take_mean(mean, learners);
  }
  for (const Sent& one : sent) by_piece->check(one.message, one.call);
  float values[PieceCodec::kPiece];
  for (std::uint64_t begin = 0; begin < mean.size(); begin += std::size(values)) {
    auto sum = mean.subspan(begin, std::min<std::uint64_t>(std::size(values), mean.size() - begin));
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (const Sent& one : sent) {
      by_piece->piece(one.message, one.call, begin, {values, sum.size()});
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
    }
    take_mean(sum, learners);
  }
}

namespace {

class Gathered final : public Compressor {
 public:
  Gathered(std::unique_ptr<Codec> codec, Coupling coupling, ErrorRule rule, std::uint64_t seed)
      : codec_(std::move(codec)), coupling_(coupling), rule_(rule), seed_(seed) {}

  Coupling coupling() const override { return coupling_; }
  bool sizes_follow_from_shape() const override { return codec_->size_follows_from_shape(); }
  bool unbiased() const override { return codec_->unbiased(); }
  bool scales() const override { return codec_->scales(); }
  Codec* codec() override { return codec_.get(); }
  ErrorRule error_rule() const override { return rule_; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    const UnitDraws draws(seed_, step.index, unit.id);
    std::vector<float> vector(numel);

    group.phase(0);
    std::vector<Message> messages =
        group.all_gather(codec_->encode_work_of(unit), [&](LearnerId learner, Bytes& value_bytes) {
          const KeyedDraws own = draws.own(learner);
          const Call call{unit, numel, step.index, learner, own, draws.shared()};
          source.read(learner, vector);
          Message message = codec_->encode(vector, call);
          value_bytes = codec_->value_bytes(message, call);
          // Nobody decodes its own message but for a memory; supports are counted by the simulation.
          if (!codec_->dense() || contributions.wants_dense())
            report(contributions, learner, codec_->decode(message, call));
          return message;
        });

    group.phase(1);
    std::vector<Work> decoding = codec_->decode_work_of(unit, group.stands_for());
    decoding.push_back({Primitive::elementwise, {numel, 0, 0}});  // cleared before, divided after
    group.once(Stage::decode, decoding, [&] {
      std::vector<Sent> sent;
      for (LearnerId learner = 0; learner < group.size(); ++learner)
        sent.push_back(
            {messages[learner], {unit, numel, step.index, learner, draws.shared(), draws.shared()}});
      decode_mean(*codec_, sent, average);
    });
  }

  void save(Writer& writer) const override { codec_->save(writer); }
  void load(Reader& reader) override { codec_->load(reader); }

 private:
  std::unique_ptr<Codec> codec_;
  Coupling coupling_;
  ErrorRule rule_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Compressor> make_gathered(std::unique_ptr<Codec> codec, Coupling coupling, ErrorRule rule,
                                          std::uint64_t seed) {
  return std::make_unique<Gathered>(std::move(codec), coupling, rule, seed);
}

}  // namespace traincast
