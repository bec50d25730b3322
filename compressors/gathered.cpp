#include "compressors/gathered.hpp"

#include <algorithm>

namespace traincast {

void Decoded::add_to(std::span<float> into) const {
  if (dense)
    for (std::size_t i = 0; i < values.size(); ++i) into[i] += values[i];
  else
    for (std::size_t j = 0; j < indices.size(); ++j) into[indices[j]] += values[j];
}

namespace {

class Gathered final : public Compressor {
 public:
  Gathered(std::unique_ptr<const Codec> codec, Coupling coupling, ErrorRule rule)
      : codec_(std::move(codec)), coupling_(coupling), rule_(rule) {}

  Coupling coupling() const override { return coupling_; }
  bool sizes_follow_from_shape() const override { return codec_->size_follows_from_shape(); }
  ErrorRule error_rule() const override { return rule_; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    std::uint64_t numel = unit.numel();
    std::vector<float> vector(numel);

    group.phase(0);
    auto encode = [&](LearnerId learner) {
      source.read(learner, vector);
      Message message = codec_->encode(vector);
      Decoded sent = codec_->decode(message, numel);
      if (sent.dense)
        contributions.kept(learner, sent.values);
      else
        contributions.kept(learner, sent.indices, sent.values, Selection::own);
      return message;
    };
    auto messages = group.all_gather(codec_->encode_work(numel), encode,
                                     [&](const Message& message) { return codec_->value_bytes(message); });

    group.phase(1);
    group.once(Stage::decode, codec_->decode_work(numel, group.size()), [&] {
      std::fill(average.begin(), average.end(), 0.0f);
      for (const Message& message : messages) codec_->decode(message, numel).add_to(average);
      auto learners = static_cast<float>(group.size());
      for (float& value : average) value /= learners;
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  std::unique_ptr<const Codec> codec_;
  Coupling coupling_;
  ErrorRule rule_;
};

}  // namespace

std::unique_ptr<Compressor> make_gathered(std::unique_ptr<const Codec> codec, Coupling coupling,
                                          ErrorRule rule) {
  return std::make_unique<Gathered>(std::move(codec), coupling, rule);
}

}  // namespace traincast
