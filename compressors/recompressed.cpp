#include "compressors/recompressed.hpp"

#include <algorithm>

#include "compressors/gathered.hpp"

namespace traincast {

namespace {

// A part of a unit that one server or owner averages.
struct Stripe {
  std::uint64_t begin = 0;
  Bucket unit;
};

class Recompressed final : public Compressor {
 public:
  Recompressed(std::unique_ptr<Codec> codec, Recompression how, ErrorRule rule, std::uint64_t seed)
      : codec_(std::move(codec)), how_(how), rule_(rule), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override {
    return how_.way == Recompression::Way::servers && codec_->size_follows_from_shape();
  }
  bool sizes_depend_on_values() const override { return !codec_->size_follows_from_shape(); }
  ErrorRule error_rule() const override { return rule_; }
  bool averages_contributions() const override { return false; }
  bool scales() const override { return codec_->scales(); }
  Codec* codec() override { return codec_.get(); }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    const std::uint32_t learners = group.size();
    const UnitDraws draws(seed_, step.index, unit.id);
    const std::vector<Stripe> stripes = stripes_of(unit, learners);
    const std::size_t count = stripes.size();
    std::vector<float> vector(numel);
    std::vector<Message> messages(learners * count);
    Bytes value_bytes = 0;

    group.phase(0);
    group.each(Stage::encode, codec_->encode_work(numel), [&](LearnerId learner) {
      const KeyedDraws own = draws.own(learner);
      source.read(learner, vector);
      const bool remembers = contributions.wants_dense();
      Decoded sent{true, {}, std::vector<float>(remembers ? numel : 0, 0.0f)};
      for (std::size_t s = 0; s < count; ++s) {
        const Stripe& stripe = stripes[s];
        const std::uint64_t size = stripe.unit.numel();
        const ShiftedDraws part(own, stripe.begin);
        const Call call{stripe.unit, size, step.index, learner, part, draws.shared()};
        Message& message = messages[learner * count + s];
        message = codec_->encode(std::span(vector).subspan(stripe.begin, size), call);
        value_bytes += codec_->value_bytes(message, call);
        if (remembers)
          codec_->decode(message, call).add_to(std::span(sent.values).subspan(stripe.begin, size));
      }
      if (remembers) report(contributions, learner, sent);
    });
    if (how_.way == Recompression::Way::stripes) {
      std::vector<Bytes> bytes;
      for (const Message& message : messages) bytes.push_back(message.size());
      group.all_to_all(std::move(bytes), value_bytes);
    }

    // What stands at the owners of stripes, or at servers between push and pull.
    std::vector<Message> answers(count);
    auto answer = [&](std::size_t s) {
      const Stripe& stripe = stripes[s];
      const std::uint64_t size = stripe.unit.numel();
      std::vector<float> mean(size);
      std::vector<Sent> sent;
      for (LearnerId learner = 0; learner < learners; ++learner)
        sent.push_back({messages[learner * count + s], call_of(step, stripe, learner, draws)});
      decode_mean(*codec_, sent, mean);
      if (how_.server_memory) {
        memory_.resize(numel, 0.0f);
        for (std::size_t i = 0; i < size; ++i) mean[i] += memory_[stripe.begin + i];
      }
      const KeyedDraws own = draws.own(learners + static_cast<LearnerId>(s));
      const Call call{stripe.unit, size,          step.index, learners + static_cast<LearnerId>(s),
                      own,         draws.shared()};
      answers[s] = codec_->encode(mean, call);
      if (!how_.server_memory) return;
      std::vector<float> told(size, 0.0f);
      codec_->decode(answers[s], call).add_to(told);
      for (std::size_t i = 0; i < size; ++i) memory_[stripe.begin + i] = mean[i] - told[i];
    };
    // Each owner's or server's part of the messages of all.
    const std::uint32_t all = group.stands_for();
    const std::uint64_t part = (numel + all - 1) / all;
    std::vector<Work> serving = codec_->decode_work(part, all);
    serving.push_back({Primitive::elementwise, {part, 0, 0}});
    for (const Work& work : codec_->encode_work(part)) serving.push_back(work);
    unsigned last = 1;
    if (how_.way == Recompression::Way::stripes) {
      group.phase(1);
      group.all_gather(serving, [&](LearnerId owner, Bytes& values) {
        answer(owner);
        values = codec_->value_bytes(answers[owner], call_of(step, stripes[owner], learners + owner, draws));
        return answers[owner];
      });
      last = 2;
    } else {
      answer(0);
      std::vector<Bytes> pushed;
      for (const Message& message : messages) pushed.push_back(message.size());
      group.push_pull(std::move(pushed), answers[0].size(), value_bytes);
    }

    group.phase(last);
    std::vector<Work> decoding = codec_->decode_work(numel, 1);
    if (how_.way == Recompression::Way::servers)
      decoding.insert(decoding.end(), serving.begin(), serving.end());
    group.once(Stage::decode, decoding, [&] {
      for (std::size_t s = 0; s < count; ++s) {
        const Sent one{answers[s], call_of(step, stripes[s], learners + static_cast<LearnerId>(s), draws)};
        decode_mean(*codec_, {&one, 1}, average.subspan(stripes[s].begin, stripes[s].unit.numel()));
      }
    });
  }

  void save(Writer& writer) const override {
    codec_->save(writer);
    writer.put_all(std::span<const float>(memory_));
  }
  void load(Reader& reader) override {
    codec_->load(reader);
    memory_ = reader.get_all<float>();
  }

 private:
  static Call call_of(const Step& step, const Stripe& stripe, LearnerId learner, const UnitDraws& draws) {
    return {stripe.unit, stripe.unit.numel(), step.index, learner, draws.shared(), draws.shared()};
  }

  std::vector<Stripe> stripes_of(const Bucket& unit, std::uint32_t learners) const {
    if (how_.way == Recompression::Way::servers) return {{0, unit}};
    const TensorInfo& tensor = unit.tensors.front();
    const std::uint64_t numel = unit.numel();
    bool rows = how_.by_row && tensor.shape.size() > 1 && unit.tensors.size() == 1;
    std::uint64_t pieces =
        rows ? static_cast<std::uint64_t>(tensor.shape[0]) : (numel + how_.granule - 1) / how_.granule;
    std::uint64_t piece = !rows ? how_.granule : pieces == 0 ? 0 : numel / pieces;
    std::vector<Stripe> stripes;
    for (std::uint64_t s = 0; s < learners; ++s) {
      std::uint64_t begin = std::min(numel, s * pieces / learners * piece);
      std::uint64_t end = std::min(numel, (s + 1) * pieces / learners * piece);
      Stripe& stripe = stripes.emplace_back();
      stripe.begin = begin;
      stripe.unit.id = unit.id;
      std::vector<std::int64_t> shape = {static_cast<std::int64_t>(end - begin)};
      if (rows && piece > 0)
        shape = {static_cast<std::int64_t>((end - begin) / piece), static_cast<std::int64_t>(piece)};
      stripe.unit.tensors = {{tensor.id, tensor.name, shape, tensor.kind}};
    }
    return stripes;
  }

  std::unique_ptr<Codec> codec_;
  Recompression how_;
  ErrorRule rule_;
  std::uint64_t seed_;
  std::vector<float> memory_;  // of servers or owners, in the unit's order; empty where they have none
};

}  // namespace

std::unique_ptr<Compressor> make_recompressed(std::unique_ptr<Codec> codec, Recompression how, ErrorRule rule,
                                              std::uint64_t seed) {
  return std::make_unique<Recompressed>(std::move(codec), how, rule, seed);
}

}  // namespace traincast
